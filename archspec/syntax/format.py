"""A spec file with its equations in canonical form; everything else in it, comments above all, stays as it stands.

The file is edited in place, equation by equation, not written anew, so nothing around the equations can change.
Within a block, comments and single empty lines keep their places; a statement with a comment inside it, or one too long
for a line that is not a pipe and stands on several, is left as it is. The result is read back and compared first.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from lark import Token

from archspec.diagnostics import Diagnostic, Problems, SpecError
from archspec.source import SourceFile, Span
from archspec.syntax import tree
from archspec.syntax.document import Mapping, Scalar, Value, read_document
from archspec.syntax.equations import PARTS, parse
from archspec.syntax.fragment import Fragment
from archspec.syntax.parser import lay_out_text, parse_body, parse_expression, parse_heading
from archspec.syntax.printer import (
    print_body,
    print_expression,
    print_heading,
    print_pipe_stage,
    print_statement,
    print_target,
    print_values,
)
from archspec.syntax.scalars import fragment
from archspec.syntax.schema import SpecSettings

WIDTH = 100
"""Columns after which a pipe is broken before its arrows."""


@dataclass(frozen=True)
class Equation:
    """A scalar of a document that is an equation, a heading or a size, and how it is read and written."""

    scalar: Scalar
    read: Callable[[Fragment], Any]
    write: Callable[[Any], str]
    key: bool = False
    flow: bool = False


@dataclass(frozen=True)
class Piece:
    """A comment on a line of its own or a statement: its lines in the source, counted from 0, and its new text."""

    first: int
    last: int
    lines: tuple[str, ...]


def format_text(source: SourceFile) -> str:
    """The text of a spec or a file of definitions with canonical equations; SpecError if it has problems."""
    equations, trees = read_equations(source)
    text = source.text
    for equation, built in sorted(zip(equations, trees, strict=True), key=lambda pair: -pair[0].scalar.span.start):
        span, new = edit(equation, built)
        text = text[: span.start] + new + text[span.end :]
    verify(source, text)
    return text


def verify(source: SourceFile, text: str) -> None:
    """Raise SpecError unless a new text says the same as the old one, comments included."""
    new = SourceFile(source.path, text)
    try:
        same = read_equations(new)[1] == read_equations(source)[1] and all_comments(new) == all_comments(source)
    except SpecError:
        same = False
    if not same:
        raise SpecError(
            [
                Diagnostic(
                    "E0051", "the file cannot be rewritten without changing it; it is left as it is", path=source.path
                )
            ]
        )


def read_equations(source: SourceFile) -> tuple[list[Equation], list[Any]]:
    """The equations of a file and their trees."""
    problems = Problems()
    document = read_document(source, problems)
    problems.finish()
    equations = list(equations_of(document)) if isinstance(document, Mapping) else []
    trees = [parse(equation.scalar, equation.read, problems) for equation in equations]
    problems.finish()
    return equations, trees


def equations_of(document: Mapping) -> Iterator[Equation]:
    """The equations of a spec; of a file of definitions every entry."""
    if not set(document.entries) & set(SpecSettings.model_fields) | {"extends", "uses"} & set(document.entries):
        yield from definitions_of(document)
        return
    model = document.entries["model"].value if "model" in document.entries else document
    for name, entry in model.entries.items() if isinstance(model, Mapping) and model is not document else ():
        if name in PARTS and isinstance(model, Mapping):
            yield from value_of(entry.value, *PARTS[name], model.flow)
        elif name == "sizes" and isinstance(entry.value, Mapping):
            for size in entry.value.entries.values():
                yield from value_of(size.value, parse_expression, print_expression, entry.value.flow)
        elif name == "where" and isinstance(entry.value, Mapping):
            yield from definitions_of(entry.value)


def definitions_of(where: Mapping) -> Iterator[Equation]:
    """The headings and bodies of definitions."""
    for entry in where.entries.values():
        yield Equation(entry.key, parse_heading, print_heading, True, where.flow)
        yield from value_of(entry.value, parse_body, print_body, where.flow)


def value_of(
    value: Value, read: Callable[[Fragment], Any], write: Callable[[Any], str], flow: bool
) -> Iterator[Equation]:
    """The equation a value is; null is none."""
    if isinstance(value, Scalar) and value.plain is not None:
        yield Equation(value, read, write, flow=flow)


def edit(equation: Equation, built: Any) -> tuple[Span, str]:
    """What is replaced in the file by what: the old text by itself where it cannot be written differently."""
    scalar, text = equation.scalar, fragment(equation.scalar)
    if scalar.style == "|":
        span = Span(scalar.span.source, text.start, text.start + len(text.text))
        return span, block(equation, built, text)
    new = equation.write(built)
    if lay_out_text(text).comments or "\n" in new:
        return scalar.span, scalar.span.text
    if scalar.style:
        kept = any(sign in scalar.span.text[1:-1] or sign in new for sign in ("\\", scalar.style, "\n"))
        return scalar.span, scalar.span.text if kept else f"{scalar.style}{new}{scalar.style}"
    column = scalar.span.source.position(scalar.span.start)[1]
    kept = not plain_safe(new, equation) or ("\n" in scalar.span.text and column + len(new) > WIDTH)
    return scalar.span, scalar.span.text if kept else new


def plain_safe(text: str, equation: Equation) -> bool:
    """Whether YAML reads a text without quotes as that text."""
    inside = (": ", " #", *((",", "[", "]", "{", "}") if equation.flow else ()))
    indicator = text[0] in "?:,[]{}#&*!|>'\"%@`" or text[:2] in ("-", "- ")
    return not indicator and text[-1] != ":" and not any(sign in text for sign in inside)


def block(equation: Equation, built: Any, text: Fragment) -> str:
    """The new lines of a block, from its first character on."""
    layout = lay_out_text(text)
    indent = " " * min(text.column(one[0].start_pos or 0) for one in layout.statements)
    ends = "\r\n" if "\r\n" in text.source.text else "\n"
    written = []
    before: Piece | None = None
    for piece in pieces(layout.statements, layout.comments, statements(equation, built), text, WIDTH - len(indent)):
        if before is not None and piece.first > before.last + 1:
            written.append("")
        written += [(indent + line).rstrip() for line in piece.lines]
        before = piece
    return ends.join(written)


def statements(equation: Equation, built: Any) -> list[Any]:
    """The statements of a body, or the one text that any other equation is."""
    if not isinstance(built, tree.Body):
        return [equation.write(built)]
    return [*built.statements, *([built.result] if built.result else [])]


def pieces(
    groups: list[list[Token]], comments: list[Token], built: list[Any], text: Fragment, width: int
) -> list[Piece]:
    """The statements and comments of a block in order; a comment behind a statement is part of it."""
    found = []
    rest = list(comments)
    for number, (group, one) in enumerate(zip(groups, built, strict=True)):
        start, end = group[0].start_pos or 0, (group[-1].start_pos or 0) + len(group[-1])
        inner = [comment for comment in rest if start < (comment.start_pos or 0) < end]
        behind = [comment for comment in rest if same_line(text, end, comment)]
        lines = (
            as_written(text, start, end) if inner else written(one, number == 0, width, as_written(text, start, end))
        )
        lines = [*lines[:-1], "  ".join([lines[-1], *map(tidy, behind)])]
        rest = [comment for comment in rest if not any(comment is one for one in (*inner, *behind))]
        found.append(Piece(line_of(text, start), line_of(text, end), tuple(lines)))
    alone = [Piece(at, at, (tidy(comment),)) for comment in rest for at in [line_of(text, comment.start_pos or 0)]]
    return sorted(found + alone, key=lambda piece: piece.first)


def tidy(comment: Token) -> str:
    """A comment without blanks at its end."""
    return str(comment).rstrip()


def line_of(text: Fragment, offset: int) -> int:
    """The line of a fragment that a character stands in, counted from 0."""
    return text.text.count("\n", 0, offset)


def same_line(text: Fragment, end: int, comment: Token) -> bool:
    """Whether a comment follows the end of a statement in its line."""
    at = comment.start_pos or 0
    return at >= end and "\n" not in text.text[end:at]


def as_written(text: Fragment, start: int, end: int) -> list[str]:
    """The lines of a statement as they stand, relative to its own indentation."""
    indent = text.column(start)
    first, *others = text.text[start:end].splitlines()
    return [first, *(line[min(indent, len(line) - len(line.lstrip(" "))) :].rstrip() for line in others)]


def written(built: Any, first: bool, width: int, old: list[str]) -> list[str]:
    """The lines of a statement in canonical form; a pipe too long for one line is broken, anything else then stays."""
    if isinstance(built, str):
        return [built]
    assigned = isinstance(built, tree.Assign)
    line = print_statement(built) if assigned else print_values(built, first)
    values = built.values if assigned else built
    if len(line) <= width or (len(old) == 1 and not isinstance(values[0], tree.Pipe)):
        return [line]
    if len(values) > 1 or not isinstance(values[0], tree.Pipe) or line.startswith("("):
        return old
    pipe = values[0]
    left = f"{', '.join(map(print_target, built.targets))} = " if assigned else ""
    return [f"{left}{print_expression(pipe.value, 1)}", *(f"  -> {print_pipe_stage(stage)}" for stage in pipe.stages)]


def all_comments(source: SourceFile) -> list[str]:
    """Every comment inside the equations of a file, in order."""
    equations, _ = read_equations(source)
    return [tidy(comment) for one in equations for comment in lay_out_text(fragment(one.scalar)).comments]
