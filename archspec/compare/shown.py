"""A difference as text for a terminal: a legend, sections with `+ - ~`, consequences side by side, a summary.

Inside a line that changed, what is gone stands in `[-…-]` and what is new in `{+…+}`, as in `git diff --word-diff`;
where there is colour it is red and green instead.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from archspec.compare.definitions import Change, Line
from archspec.compare.difference import Difference
from archspec.compare.marks import GONE, GONE_END, NEW, NEW_END
from archspec.compare.weights import WeightChange

MOST_WEIGHTS = 24
"""Lines about weights at most."""


@dataclass(frozen=True)
class Style:
    """How signs and marks are written: what begins and ends text that is gone, new, changed, a heading."""

    gone: tuple[str, str]
    new: tuple[str, str]
    red: tuple[str, str] = ("", "")
    green: tuple[str, str] = ("", "")
    yellow: tuple[str, str] = ("", "")
    bold: tuple[str, str] = ("", "")
    faint: tuple[str, str] = ("", "")

    def marked(self, text: str) -> str:
        """A marked text."""
        for mark, written in zip((GONE, GONE_END, NEW, NEW_END), (*self.gone, *self.new), strict=True):
            text = text.replace(mark, written)
        return text

    def signed(self, sign: str, text: str) -> str:
        """A text in the colour of its sign."""
        begin, end = {"+": self.green, "-": self.red, "~": self.yellow}[sign]
        return f"{begin}{text}{end}"


PLAIN = Style(("[-", "-]"), ("{+", "+}"))
END = "\033[0m"
COLOUR = Style(
    ("\033[31;9m", END), ("\033[32;1m", END), ("\033[31m", END), ("\033[32m", END), ("\033[33m", END),
    ("\033[1m", END), ("\033[2m", END),
)  # fmt: skip


def text_of(found: Difference, names: tuple[str, str], style: Style = PLAIN) -> str:
    """The whole difference."""
    blocks = [heading(names, style, bool(found) or bool(found.rewritten))]
    blocks += [section(title, changes, style) for title, changes in found.changes.items() if changes]
    if found.renamed:
        rows = [f"  {one.old} → {one.new}" for one in found.renamed]
        blocks.append("\n".join([bold("renamed", style), *rows]))
    if found.rewritten:
        names_of = ", ".join(path.removeprefix("where.") for path in found.rewritten)
        blocks.append(f"{bold('only written differently', style)}\n  {names_of}")
    if found.weights:
        blocks.append("\n".join([bold("weights", style), *weights(found.weights, style)]))
    blocks.append("\n".join(side_by_side(found, style)))
    return "\n\n".join([*blocks, summary(found)]) + "\n"


def bold(text: str, style: Style) -> str:
    """A heading."""
    return f"{style.bold[0]}{text}{style.bold[1]}"


def heading(names: tuple[str, str], style: Style, legend: bool) -> str:
    """The two names, and what the signs mean."""
    lines = [style.signed(sign, f"{sign} {name}") for sign, name in zip("-+", names, strict=True)]
    if legend:
        signs = (style.signed("+", "+ added"), style.signed("-", "- removed"), style.signed("~", "~ changed"))
        lines.append(
            f"  {'   '.join(signs)}: {style.marked(f'{GONE}gone{GONE_END}')} {style.marked(f'{NEW}new{NEW_END}')}"
        )
    return "\n".join(lines)


def section(title: str, changes: Sequence[Change], style: Style) -> str:
    """A heading, and every entry under it."""
    return "\n".join([bold(title, style), *(line for change in changes for line in entry(change, style))])


def entry(change: Change, style: Style) -> Iterator[str]:
    """A change: on one line where it has one that says what it is about, else under its path."""
    name = change.path.removeprefix("where.")
    if len(change.lines) == 1 and (named(change.lines[0], name) or change.sign != "~"):
        yield f"  {line(change.lines[0], style)}"
        yield from (f"      {style.faint[0]}{remark}{style.faint[1]}" for remark in change.lines[0].remarks)
        return
    if change.sign == "~":
        yield f"  {style.signed('~', f'~ {name}')}"
    for one in change.lines:
        indent = "    " if change.sign == "~" else "  "
        yield indent + line(one, style)
        yield from (f"{indent}    {style.faint[0]}{remark}{style.faint[1]}" for remark in one.remarks)


def named(one: Line, name: str) -> bool:
    """Whether a line begins with the name of what it is about."""
    return re.match(
        r"[\1\3]?" + re.escape(name.rpartition(".")[2]) + r"\b", one.text
    ) is not None or one.text.startswith(name)


def line(one: Line, style: Style) -> str:
    """A line with its sign."""
    if one.sign == "~":
        return f"{style.signed('~', '~')} {style.marked(one.text)}"
    return style.signed(one.sign, f"{one.sign} {one.text}")


def weights(changes: Sequence[WeightChange], style: Style) -> Iterator[str]:
    """The weights that come and go, one line for those of all block instances."""
    names = max(len(change.name) for change in changes)
    shapes = max(len(change.shapes) for change in changes)
    for change in changes[:MOST_WEIGHTS]:
        times = f"× {change.most}" if change.most > 1 else ""
        text = f"{change.sign} {change.name:<{names}}  {change.shapes:<{shapes}}  {times:<5} {change.parameters:>+10,}"
        yield f"  {style.signed(change.sign, text)}"
    if len(changes) > MOST_WEIGHTS:
        yield f"  … and {len(changes) - MOST_WEIGHTS} more; `archspec show --as params` lists them all"


def side_by_side(found: Difference, style: Style) -> Iterator[str]:
    """The consequences, those of both beside each other."""
    yield bold("consequences", style)
    names = max(len(row.name) for row in found.consequences)
    old, new = (
        max(len(value) for value in column)
        for column in zip(*((row.old, row.new) for row in found.consequences), strict=True)
    )
    for row in found.consequences:
        between = "→" if row.old != row.new else "="
        text = f"  {row.name:<{names}}  {row.old:>{old}} {between} {row.new:>{new}}"
        yield f"{text}  {row.more}".rstrip()


def summary(found: Difference) -> str:
    """One line: how many changes of each kind."""
    counts = {sign: sum(change.sign == sign for change in found.all_changes()) for sign in "+~-"}
    changes = f"{counts['+']} added, {counts['~']} changed, {counts['-']} removed"
    if found.different and not found:
        return "the programs differ though no definition does: `--level ir` shows where"
    if found.same_architecture:
        return f"no architectural difference; {changes}" if found else "no architectural difference"
    return changes
