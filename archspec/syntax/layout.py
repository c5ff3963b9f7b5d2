"""Lines: which of them continue a statement, and whether the brackets match. Between the lexer and the grammar.

A line continues the statement above if it stands deeper, begins with `->` or stands inside brackets; comments and empty
lines change nothing. A value whose lines YAML has joined is one statement.
"""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field

from lark import Token

from archspec.diagnostics import Diagnostic
from archspec.source import Span
from archspec.syntax.fragment import Fragment
from archspec.syntax.mistakes import CHARACTERS, MISTAKES

CLOSED_BY = {"(": ")", "[": "]"}


@dataclass
class Layout:
    """The tokens of the statements of a text, its comments, and what is wrong with its lines and brackets."""

    statements: list[list[Token]] = field(default_factory=list)
    comments: list[Token] = field(default_factory=list)
    problems: list[Diagnostic] = field(default_factory=list)
    broken: set[int] = field(default_factory=set)
    """The numbers of the statements the problems are in."""

    def problem(self, problem: Diagnostic) -> None:
        """Note a problem of the last statement."""
        self.problems.append(problem)
        self.broken.add(max(0, len(self.statements) - 1))

    @property
    def sound(self) -> list[list[Token]]:
        """The statements without problems."""
        return [one for number, one in enumerate(self.statements) if number not in self.broken]


def lay_out(tokens: Iterable[Token], fragment: Fragment) -> Layout:
    """Sort the tokens of a text into statements."""
    layout = Layout()
    brackets: list[Token] = []
    fresh, indent = True, 0
    for token in tokens:
        if token.type == "COMMENT":
            layout.comments.append(token)
        elif token.type == "_NL":
            fresh = not fragment.folded or not layout.statements
        else:
            column = fragment.column(token.start_pos or 0) if fresh else 0
            if fresh and begins_statement(token, column, indent, brackets, layout, fragment):
                layout.statements.append([])
                indent = column
            fresh = False
            layout.statements[-1].append(token)
            if token.type == "UNKNOWN":
                layout.problem(unknown(token, fragment))
            if (problem := match(token, brackets, fragment)) is not None:
                layout.problem(problem)
                return layout
    if brackets:
        layout.problem(unclosed(brackets[-1], fragment))
    return layout


def begins_statement(
    token: Token, column: int, indent: int, brackets: list[Token], layout: Layout, fragment: Fragment
) -> bool:
    """Whether the first token of a line begins a statement."""
    if not layout.statements:
        return True
    if brackets or column > indent or token == "->":
        return False
    if token in ("-", "+"):
        layout.problem(MISTAKES["E0105"].at(place(token, fragment), str(token)))
        return False
    return True


def match(token: Token, brackets: list[Token], fragment: Fragment) -> Diagnostic | None:
    """Keep the stack of open brackets; the problem with a closing one."""
    if token in CLOSED_BY:
        brackets.append(token)
    elif token in (")", "]"):
        if not brackets:
            return MISTAKES["E0103"].at(place(token, fragment), f"`{token}`")
        if CLOSED_BY[(opened := brackets.pop())] != token:
            help = f"write `{CLOSED_BY[opened]}`: the bracket opened last is `{opened}`"
            return MISTAKES["E0104"].at(place(token, fragment), f"`{token}`", help)
    return None


def unclosed(opened: Token, fragment: Fragment) -> Diagnostic:
    """The problem of a bracket that stays open."""
    return MISTAKES["E0102"].at(place(opened, fragment), str(opened), f"write the missing `{CLOSED_BY[opened]}`")


def unknown(token: Token, fragment: Fragment) -> Diagnostic:
    """The problem of a character outside of the language, with what to write in its place."""
    character = str(token)
    name = unicodedata.name(character, "")
    instead = CHARACTERS.get(character) or (name.split()[-1].lower() if name.startswith("GREEK") else "")
    quote = "close the quote in the same line" if character in "\"'" else ""
    help = f"write `{instead}`" if instead else quote
    shown = character if character.isprintable() else f"U+{ord(character):04X}"
    return MISTAKES["E0101"].at(place(token, fragment), shown, help)


def place(token: Token, fragment: Fragment) -> Span:
    """The span of a token."""
    start = token.start_pos or 0
    return fragment.span(start, start + len(token))
