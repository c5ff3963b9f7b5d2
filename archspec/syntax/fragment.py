"""A piece of source text that is read as an equation, and where each of its characters stands in the file."""

from dataclasses import dataclass

from archspec.source import SourceFile, Span


@dataclass(frozen=True)
class Fragment:
    """The text of one equation.

    Character k of `text` stands at offset `start + k` of the source, or at `offsets[k]` where escapes in a quoted
    scalar have moved it. `folded` says that YAML joins the lines.
    """

    source: SourceFile
    text: str
    start: int = 0
    offsets: tuple[int, ...] | None = None
    folded: bool = False

    def span(self, start: int, end: int) -> Span:
        """The span in the source of the characters [start, end) of the text; at the end of all, its last character."""
        if start >= len(self.text.rstrip()) and self.text.strip():
            start = len(self.text.rstrip()) - 1
        end = max(end, start + 1)
        if self.offsets is not None:
            return Span(self.source, self.offsets[start], max(self.offsets[end - 1] + 1, self.offsets[start] + 1))
        return Span(self.source, self.start + start, self.start + end)

    def column(self, offset: int) -> int:
        """How far right of the start of its line a character of the text stands."""
        return offset - (self.text.rfind("\n", 0, offset) + 1)


def fragment_of(text: "str | Fragment", path: str = "<text>") -> Fragment:
    """The fragment itself, or a text as a source of its own."""
    return text if isinstance(text, Fragment) else Fragment(SourceFile(path, text), text)
