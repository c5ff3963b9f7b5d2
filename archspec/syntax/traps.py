"""What YAML would misread, each with a message of its own: rows of (code, sign, message, help, examples).

Some are errors of YAML's, whose own message names a consequence; a row recognises the cause in the scene around it. The
others are legal YAML that means something else than it says. The examples are the test.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import yaml

from archspec.diagnostics import Diagnostic, Problems
from archspec.source import SourceFile, Span


@dataclass(frozen=True)
class Scene:
    """An error of YAML's and what stands around it."""

    problem: str
    here: str
    """The rest of the line from the place of the error."""
    line: str
    before: str
    """The nearest line above that is not empty."""
    value: str
    """What stands behind the key whose value the error is in."""
    inside: bool
    """Whether the error is within that value, in the same line."""


@dataclass(frozen=True)
class Trap:
    """One way of being misread; `at` says where the message points: at the error, the value, the line before, …"""

    code: str
    sign: Callable[[Scene], bool]
    message: str
    help: str
    examples: tuple[str, ...]
    at: str = "error"


BLOCK = "write it after `|`, on the line below"

TRAPS = (
    Trap("E0011", lambda s: s.here[:1] == "\t", "a tab where YAML expects a blank", "write a blank",
         ("a: 1\n? \t- b\n",)),
    Trap("E0017", lambda s: s.here[:1] in ("@", "`", "%") and "token" in s.problem,
         "a value cannot begin with {first} in YAML", f"{BLOCK}, or in quotes",
         ("a: @x + 1\n", "a: `x`\n", "a: %x\n")),
    Trap("E0025", lambda s: "alphabetic" in s.problem and re.search(r"(^|[\s{,])\*[^\s:]*:", s.line) is not None,
         "a pattern that begins with `*` needs quotes in YAML", 'write `"*.eps":`',
         ("p:\n  *.eps: {init: 1}\n", "p: {*.eps: 3}\n", "p:\n  *.eps.*: 3\n"), "context"),
    Trap("E0015", lambda s: s.value[:1] in ("*", "&"), "a value cannot begin with {first} in YAML",
         f"{BLOCK}, or in quotes", ("a: *eps + 1\n", "a: **\n", "a: & + 1\n"), "value"),
    Trap("E0018", lambda s: s.value[:1] == ">" and "block scalar" in s.problem,
         "a value cannot begin with `>` in YAML", f"{BLOCK}, or in quotes", ("a: > 3\n", "a: >= 3\n"), "value"),
    Trap("E0029", lambda s: s.value[:1] == "|" and "block scalar" in s.problem,
         "the text after `|` begins on the next line", "break the line after `|` and indent what follows",
         ("a: | x = 1\n",), "value"),
    Trap("E0026", lambda s: "flow" in s.problem, "a bracket is opened here and never closed",
         "close it, and separate what it holds by commas",
         ("a: {x: 1\nb: 2\n", "a: [1, 2\nb: 3\n", "a: {x: 1, y: {z: 2}\nb: 2\n"), "context"),
    Trap("E0019", lambda s: s.value[:1] in ("[", "{") and mismatch(s),
         "a value cannot begin with {first} in YAML: that is a list or section", f"{BLOCK}, or in quotes",
         ("a: [x, y] + 1\n", "a: {x} + 2\n"), "value"),
    Trap("E0020", lambda s: "quoted scalar" in s.problem and "escape" not in s.problem,
         "a quote is opened here and never closed", "close it", ('a: "x\nb: 2\n', "a: 'x\n"), "context"),
    Trap("E0020", lambda s: s.value[:1] in ('"', "'") and mismatch(s),
         "a value that begins with a quote ends with it in YAML", f"{BLOCK}, or put all of it in other quotes",
         ('a: "x" + y\n', "a: 'x' + y\n"), "value"),
    Trap("E0021", lambda s: "mapping values" in s.problem and s.inside, "`: ` cannot stand inside a value",
         f"{BLOCK}, or in quotes", ("a: b: c\n", "about: GIN: a network\n")),
    Trap("E0010", lambda s: "mapping values" in s.problem and ":" not in s.before, "a `:` is missing behind the key",
         "write `key: value`", ("a\nb: 2\n", "model:\n  d 64\n  x: 2\n"), "before"),
    Trap("E0021", lambda s: "mapping values" in s.problem, "`: ` cannot stand inside a value of several lines",
         f"{BLOCK}; a new entry stands as deep as the one above",
         ("a: x\n  y: z\n", "a: x\n  f(y: z)\n", "a: 1\n  b: 2\n")),
    Trap("E0028",
         lambda s: ("expected ':'" in s.problem or mismatch(s)) and re.search(r":\s+\|\S*\s*$", s.before) is not None,
         "the lines after `|` stand deeper than their key", "indent them",
         ("a: |\nx = 1\nb: 2\n", "m:\n  a: |\n  x = 1\n  b: 2\n", "m:\n  a: |\n x = 1\n"), "line"),
    Trap("E0010", lambda s: "expected ':'" in s.problem, "a `:` is missing behind the key", "write `key: value`",
         ("a: 1\nb 2\nc: 3\n", "a: 1\nb\n", "m:\n  epochs 3\n  a: {n: 1}\n"), "context"),
    Trap("E0022", lambda s: mismatch(s) and re.search(r"(^|\s)#", s.before) is not None,
         "a comment ends a value of several lines", f"{BLOCK}, where comments may stand",
         ("a: x +\n  y # hi\n  + z\nb: 2\n", "a: x +\n  # hi\n  z\nb: 2\n", "a: x # hi\n  -> f\n")),
    Trap("E0028", lambda s: mismatch(s), "the line is indented unlike its neighbours",
         "indent it like the entries of its section",
         ("a:\n    b: 1\n  c: 2\n", "a: |\n    x = 1\n  y = 2\nb: 1\n", "a:\n  - x\n  b: 1\n")),
    Trap("E0027", lambda s: "sequence entries" in s.problem, "a list cannot begin in the line of its key",
         "begin it on the next line, or write `[a, b]`", ("a: - x\n",)),
    Trap("E0010", lambda s: True, "YAML cannot read this: {problem}", f"{BLOCK}, or in quotes",
         ("a: , x\n", "a: ] x\n", "a: ? x\n", 'a: "\\q"\n')),
)  # fmt: skip


def mismatch(scene: Scene) -> bool:
    """Whether YAML found something where the next key or the end of a section should be."""
    return any(part in scene.problem for part in ("expected key", "<block end>", "expected '-' indicator"))


def explain(error: yaml.MarkedYAMLError, source: SourceFile) -> Diagnostic:
    """The row that fits an error of YAML's."""
    mark = error.context_mark if "simple key" in (error.context or "") else error.problem_mark
    at = min(mark.index if mark else 0, max(len(source.text) - 1, 0))
    scene, value_at = look_around(error, source, at)
    trap = next(row for row in TRAPS if row.sign(scene))
    context = error.context_mark.index if error.context_mark else at
    number = source.position(at)[0]
    start = {"error": at, "line": at, "value": value_at, "context": context, "before": line_above(source, number)[1]}[
        trap.at
    ]
    first = source.text[start : start + 1]
    message = trap.message.format(first=f"`{first}`", problem=error.problem)
    end = start + max(1, len(source.text[start:].split("\n")[0].rstrip()))
    return Diagnostic(
        trap.code, message, Span(source, start, end if trap.at == "before" else start + 1), help=trap.help
    )


KEY = re.compile(r"\s*(?:- )?(?:[^\s#\"'{\[][^#]*?|\"[^\"]*\"|'[^']*'):(?:\s+|$)")


def look_around(error: yaml.MarkedYAMLError, source: SourceFile, at: int) -> tuple[Scene, int]:
    """The scene of an error, and where the value of the key it belongs to begins."""
    number, column = source.position(at)
    line = source.line(number)
    key_line = next(
        (n for n in range(number, 0, -1) if (m := KEY.match(source.line(n))) and starts(m, n, number, line)), number
    )
    matched = KEY.match(source.line(key_line))
    value_column = matched.end() if matched else 0
    value = source.line(key_line)[value_column:]
    inside = key_line == number and column > value_column
    problem = f"{error.context or ''}: {error.problem or ''}"
    scene = Scene(problem, line[column - 1 :], line, line_above(source, number)[0], value, inside)
    return scene, source.line_starts[key_line - 1] + value_column


def starts(match: re.Match[str], number: int, error_line: int, line: str) -> bool:
    """Whether a line with a key can be what the line of the error belongs to: that line itself, or one less deep."""
    text = match.string
    return number == error_line or indent(text) < indent(line) or not line.strip()


def indent(line: str) -> int:
    """How many blanks a line begins with."""
    return len(line) - len(line.lstrip(" "))


def line_above(source: SourceFile, number: int) -> tuple[str, int]:
    """The nearest line above that is not empty, and where its text begins."""
    for above in range(number - 1, 0, -1):
        if text := source.line(above).strip():
            return source.line(above), source.line_starts[above - 1] + source.line(above).index(text)
    return "", 0


def look_for_controls(source: SourceFile, problems: Problems) -> None:
    """Report the first character that no text file has."""
    if found := yaml.reader.Reader.NON_PRINTABLE.search(source.text):
        shown = f"U+{ord(found.group()):04X}"
        span = Span(source, found.start(), found.end())
        problems.error("E0003", span, f"the character {shown} does not belong in text", help="remove it")


TAB = re.compile(r"^ *\t[ \t]*(?=[^\s#])", re.MULTILINE)


def look_for_tabs(source: SourceFile, problems: Problems) -> None:
    """Report tabs in the indentation of lines."""
    for found in TAB.finditer(source.text):
        at = found.start() + found.group().index("\t")
        problems.error("E0011", Span(source, at, at + 1), "a tab in the indentation", help="indent with blanks")


def look_at_event(event: yaml.Event, span: Span, problems: Problems) -> None:
    """Report aliases, anchors and tags: a value that was meant to begin with `*`, `&` or `!`."""
    at = Span(span.source, span.start, span.start + 1)
    if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
        sign = "*" if isinstance(event, yaml.AliasEvent) else "&"
        problems.error("E0015", at, f"a value cannot begin with `{sign}` in YAML", help=f"{BLOCK}, or in quotes")
    elif getattr(event, "tag", None):
        problems.error("E0016", at, "a value cannot begin with `!` in YAML", help=f"{BLOCK}, or in quotes")


UNDERSCORED = re.compile(r"[-+]?[0-9][0-9_.]*_[0-9_.]*([eE][-+]?[0-9_]+)?")


def look_at_number(text: str, style: str, span: Span, problems: Problems) -> None:
    """Report numbers with underscores, which other versions of YAML read as numbers and this one as text."""
    if not style and UNDERSCORED.fullmatch(text):
        problems.error("E0013", span, "a number has no underscores", help=f"write `{text.replace('_', '')}`")


def look_for_split(texts: Sequence[str], span: Span, problems: Problems) -> None:
    """Report a definition that was split at the commas between its parentheses, inside `{…}` or `[…]`."""
    if any(text.count("(") != text.count(")") for text in texts):
        help = "write one entry a line, without the brackets, or put each part in quotes"
        problems.error("E0024", span, "commas between parentheses split an entry inside `{…}` and `[…]`", help=help)


def duplicate(name: str, span: Span, first: Span, problems: Problems) -> None:
    """Report a key that is there already."""
    note = f"first in line {first.line}"
    problems.error("E0012", span, f"`{name}` is given twice", notes=(note,), help="remove one of them")
