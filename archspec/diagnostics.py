"""Problems as data: collected while a file is read, printed once, sorted by place."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field

from archspec.source import Span

SHOWN = 10
"""How many problems are printed at most."""

WIDTH = 120
"""Characters of a source line that are shown at most."""


@dataclass(frozen=True)
class Diagnostic:
    """One problem: a stable code, a message in lower case without a full stop, its place and its cure."""

    code: str
    message: str
    span: Span | None = None
    label: str = ""
    notes: tuple[str, ...] = ()
    help: str = ""
    severity: str = "error"
    path: str = ""
    """The file the problem is about where there is no span (an absent file)."""


class SpecError(Exception):
    """A spec, a file or a setting of the user's has problems; they are in `diagnostics`."""

    def __init__(self, diagnostics: Iterable[Diagnostic]):
        self.diagnostics = tuple(diagnostics)
        super().__init__("\n\n".join(concise(one) for one in self.diagnostics))

    def _render_traceback_(self) -> list[str]:
        """What IPython shows in place of a traceback."""
        return render(self.diagnostics).split("\n")


@dataclass
class Problems:
    """Collects the problems of one run of the compiler; `finish` raises them together."""

    found: list[Diagnostic] = field(default_factory=list)

    def error(
        self,
        code: str,
        span: Span | None,
        message: str,
        *,
        label: str = "",
        notes: tuple[str, ...] = (),
        help: str = "",
    ) -> None:
        """Add a problem; the same problem at the same place is kept once."""
        self.add(Diagnostic(code, message, span, label, notes, help))

    def add(self, diagnostic: Diagnostic) -> None:
        """Add a diagnostic unless it is there already."""
        if diagnostic not in self.found:
            self.found.append(diagnostic)

    def finish(self) -> None:
        """Raise SpecError if anything was found."""
        if self.found:
            raise SpecError(sorted(self.found, key=place))


def place(diagnostic: Diagnostic) -> tuple[str, int, str]:
    """Sorting key: file, offset, code."""
    span = diagnostic.span
    return (span.source.path, span.start, diagnostic.code) if span else (diagnostic.path, -1, diagnostic.code)


def render(diagnostics: Iterable[Diagnostic], style: str = "pretty") -> str:
    """All problems as text in one of the styles pretty, concise and json, at most ten of them."""
    ordered = sorted(diagnostics, key=place)
    if style == "json":
        return json.dumps([as_data(one) for one in ordered], indent=2)
    write, between = (pretty, "\n\n") if style == "pretty" else (concise, "\n")
    shown = [write(one) for one in ordered[:SHOWN]]
    if len(ordered) > SHOWN:
        shown.append(f"… and {len(ordered) - SHOWN} more")
    return between.join(shown)


def where(diagnostic: Diagnostic) -> str:
    """`file:line:column`, or the file alone."""
    span = diagnostic.span
    return f"{span.source.path}:{span.line}:{span.column}" if span else diagnostic.path


def concise(diagnostic: Diagnostic) -> str:
    """One line: place, code, message, cure."""
    at = where(diagnostic)
    cure = f" ({diagnostic.help})" if diagnostic.help else ""
    return f"{f'{at}: ' if at else ''}{diagnostic.code} {diagnostic.message}{cure}"


def as_data(diagnostic: Diagnostic) -> dict[str, object]:
    """The diagnostic as plain data for tools."""
    span = diagnostic.span
    end = span.source.position(span.end) if span else (0, 0)
    return {
        "severity": diagnostic.severity,
        "code": diagnostic.code,
        "message": diagnostic.message,
        "path": span.source.path if span else diagnostic.path,
        "line": span.line if span else None,
        "column": span.column if span else None,
        "end_line": end[0] if span else None,
        "end_column": end[1] if span else None,
        "label": diagnostic.label,
        "notes": list(diagnostic.notes),
        "help": diagnostic.help,
    }


def excerpt(line: str, start: int) -> tuple[str, int]:
    """A line as it is shown, long ones cut around a place, and how many characters stand before that place."""
    first = max(0, min(start - WIDTH // 4, len(line) - WIDTH))
    shown = ("…" if first else "") + line[first : first + WIDTH] + ("…" if first + WIDTH < len(line) else "")
    return shown, start - first + bool(first)


def pretty(diagnostic: Diagnostic) -> str:
    """Message, place, the source line with carets under the span, notes and help."""
    lines = [f"{diagnostic.severity}[{diagnostic.code}]: {diagnostic.message}"]
    margin = " "
    if span := diagnostic.span:
        number, (text, before) = str(span.line), excerpt(span.source.line(span.line), span.column - 1)
        margin = " " * (len(number) + 1)
        width = max(1, min(span.end - span.start, len(text) - before))
        pad = "".join("\t" if character == "\t" else " " for character in text[:before])
        lines += [f"{margin[1:]}--> {where(diagnostic)}", f"{margin}|", f"{number} | {text}"]
        lines.append(f"{margin}| {pad}{'^' * width} {diagnostic.label}".rstrip())
    elif diagnostic.path:
        lines.append(f" --> {diagnostic.path}")
    lines += [f"{margin}= note: {note}" for note in diagnostic.notes]
    if diagnostic.help:
        lines.append(f"{margin}= help: {diagnostic.help}")
    return "\n".join(lines)
