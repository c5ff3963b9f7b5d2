"""Text → tree: lexer, lines (`layout.py`), Lark's LALR parser (`equation.lark`), then the tree (`build.py`).

Any text gives a tree or raises SpecError; a body is read on past a statement that cannot be read, so that all of its
mistakes are reported.
"""

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import TypeVar

from lark import Lark, Token, Tree, UnexpectedToken

from archspec.diagnostics import Diagnostic, SpecError
from archspec.source import Span
from archspec.syntax import tree
from archspec.syntax.build import Builder, depth
from archspec.syntax.fragment import Fragment, fragment_of
from archspec.syntax.layout import Layout, lay_out
from archspec.syntax.mistakes import MISTAKES, UNREADABLE
from archspec.syntax.tables import kept_tables

DEEPEST = 100
"""Levels of nesting a text may have, so that what walks the tree may be recursive."""

Built = TypeVar("Built")


def parse_body(text: str | Fragment) -> tree.Body:
    """The body of a definition: statements, and the value of the last line."""
    return read(text, "body", Builder.body)


def parse_expression(text: str | Fragment) -> tree.Expr:
    """One expression, such as a size."""
    return read(text, "expression", Builder.whole)


def parse_stack(text: str | Fragment) -> tree.Stage:
    """The blocks in order: `local -> 2 * (a -> b) -> layer(64)`."""
    return read(text, "expression", Builder.stack)


def parse_heading(text: str | Fragment) -> tree.Heading:
    """The name of a definition with its arguments."""
    return read(text, "heading", Builder.heading)


def read(text: str | Fragment, start: str, build: Callable[[Builder, Tree], Built]) -> Built:
    """The tree of a text, or SpecError with everything that is wrong with it."""
    fragment = fragment_of(text)
    layout = lay_out_text(fragment)
    if not layout.statements:
        raise SpecError([MISTAKES["E0106"].at(fragment.span(0, 1))])
    parsed, problems = parse(layout, start, fragment)
    built = None
    if parsed and depth(parsed) > DEEPEST:
        problems.append(MISTAKES["E0110"].at(fragment.span(0, len(fragment.text))))
    elif parsed:
        builder = Builder(fragment)
        built = build(builder, parsed)
        problems += builder.problems
    if problems or built is None:
        raise SpecError(problems)
    return built


def lay_out_text(fragment: Fragment) -> Layout:
    """The statements of a text as tokens."""
    reading = grammar().parse_interactive(fragment.text, start="body")  # `Lark.lex` would make a lexer for each text
    return lay_out(reading.lexer_thread.lex(reading.parser_state), fragment)


class KeepAll:
    """Makes the lexer keep what the grammar does not mention: comments and unknown characters."""

    always_accept = ("COMMENT", "UNKNOWN")

    def process(self, tokens: Iterator[Token]) -> Iterator[Token]:
        """The tokens as they are."""
        return tokens


@cache
def grammar() -> Lark:
    """The parser, built when first used."""
    text = Path(__file__).with_name("equation.lark").read_text(encoding="utf-8")
    starts = ["body", "expression", "heading"]
    options = {"parser": "lalr", "lexer": "basic", "start": starts, "propagate_positions": True, "postlex": KeepAll()}
    return kept_tables(text, lambda: Lark(text, **options))


def parse(layout: Layout, start: str, fragment: Fragment) -> tuple[Tree | None, list[Diagnostic]]:
    """Lark's tree of the statements that can be read, and the problems of the others."""
    problems = list(layout.problems)
    statements = layout.sound if start == "body" or not problems else []
    while statements:
        try:
            return feed(statements, start), problems
        except UnexpectedToken as unexpected:
            at = culprit(unexpected, statements)
            problems.append(explain(unexpected, statements[at], start, fragment))
            statements = statements[:at] + statements[at + 1 :] if start == "body" else []
    return None, problems


def feed(statements: list[list[Token]], start: str) -> Tree:
    """Parse tokens, with a line break between statements; it counts as part of the statement it ends."""
    parser = grammar().parse_interactive(start=start)
    last = None
    for number, statement in enumerate(statements):
        if last and number:
            parser.feed_token(Token.new_borrow_pos("_NL", "\n", last))
        for last in statement:
            parser.feed_token(last)
    return parser.feed_eof(last)


def culprit(unexpected: UnexpectedToken, statements: list[list[Token]]) -> int:
    """Which statement holds the token where reading stopped."""
    at = unexpected.token.start_pos
    return next(number for number, one in enumerate(statements) if at <= one[-1].start_pos)


def explain(unexpected: UnexpectedToken, statement: list[Token], start: str, fragment: Fragment) -> Diagnostic:
    """The row of the table of mistakes that fits, at the token where reading stopped."""
    known = lessons(start == "heading")
    otherwise = "E0138" if start == "heading" else "E0119"
    code = next((known[key] for key in signatures(unexpected, statement) if key in known), otherwise)
    return MISTAKES[code].at(span_of(unexpected, statement, fragment), found(unexpected.token))


def found(token: Token) -> str:
    """How a message calls a token."""
    return {"$END": "the end", "_NL": "the end of the line"}.get(token.type, f"`{token}`")


def span_of(unexpected: UnexpectedToken, statement: list[Token], fragment: Fragment) -> Span:
    """The place of the token where reading stopped; the last one before it where a line or the text ends."""
    token = statement[-1] if unexpected.token.type in ("$END", "_NL") else unexpected.token
    start = token.start_pos or 0
    return fragment.span(start, start + len(token))


Signature = tuple[object, ...]


def signatures(unexpected: UnexpectedToken, statement: list[Token]) -> list[Signature]:
    """What makes two mistakes alike, closest first: the parser's state, the token before, the token found."""
    token = unexpected.token
    ending = token.type in ("$END", "_NL")
    before = [one for one in statement if ending or one.start_pos < token.start_pos]
    previous = before[-1].type if before else ""
    kind = "END" if ending else token.type
    state = unexpected.state.position
    return [(state, previous, kind), (previous, kind), (state, "", kind)]


@cache
def lessons(heading: bool) -> dict[Signature, str]:
    """The code of a mistake by its signatures, learnt from the examples of the table; the first row wins."""
    known: dict[Signature, str] = {}
    loose: dict[Signature, str] = {}
    for row in UNREADABLE:
        for example in row.examples if (row.read == "heading") == heading else ():
            for level, signature in enumerate(example_signatures(example, row.read)):
                (loose if level else known).setdefault(signature, row.code)
    return loose | known


def example_signatures(example: str, start: str) -> list[Signature]:
    """The signatures of a malformed example; none where it can be read, which the tests forbid."""
    statements = lay_out_text(fragment_of(example)).statements
    try:
        feed(statements, start)
    except UnexpectedToken as unexpected:
        return signatures(unexpected, statements[culprit(unexpected, statements)])
    return []
