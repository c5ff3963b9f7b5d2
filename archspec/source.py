"""Places in source text: a file, and a span of characters in it."""

from bisect import bisect_right
from dataclasses import dataclass, field
from functools import cached_property


@dataclass(frozen=True)
class SourceFile:
    """A text with a name: a spec file, a library file or the value of one `--set`."""

    path: str
    text: str = field(repr=False)

    @cached_property
    def line_starts(self) -> tuple[int, ...]:
        """Offset of the first character of every line."""
        return (0, *(at + 1 for at, character in enumerate(self.text) if character == "\n"))

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column of an offset, both counted from 1."""
        line = bisect_right(self.line_starts, offset)
        return line, offset - self.line_starts[line - 1] + 1

    def line(self, number: int) -> str:
        """The text of a line counted from 1, without its line break."""
        start = self.line_starts[number - 1]
        end = self.line_starts[number] - 1 if number < len(self.line_starts) else len(self.text)
        return self.text[start:end].rstrip("\r")


@dataclass(frozen=True)
class Span:
    """The characters [start, end) of a source file."""

    source: SourceFile
    start: int
    end: int

    @property
    def text(self) -> str:
        """The characters themselves."""
        return self.source.text[self.start : self.end]

    @property
    def line(self) -> int:
        """The line the span starts in, counted from 1."""
        return self.source.position(self.start)[0]

    @property
    def column(self) -> int:
        """The column the span starts at, counted from 1."""
        return self.source.position(self.start)[1]

    def to(self, other: "Span") -> "Span":
        """From the start of this span to the end of the other one, of the same source."""
        return Span(self.source, self.start, max(self.end, other.end))
