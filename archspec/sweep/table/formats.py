"""The tables of a sweep as text, Markdown, LaTeX and CSV."""

import csv
import io
import re
import textwrap
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence

from archspec.sweep.shown import aligned
from archspec.sweep.table.blocks import Block, Table
from archspec.sweep.table.groups import Row
from archspec.train.folder import Record


def text(table: Table) -> str:
    """For a terminal."""
    blocks = [one for part in table.parts for one in part.blocks]
    tail = [line for one in table.warnings for line in wrapped(f"warning: {one}")]
    return "\n\n".join([*map(text_block, blocks), "\n".join([*tail, *table.remarks])]) + "\n"


def text_block(one: Block) -> str:
    """One table with its title before it and its remarks behind it."""
    lines = aligned([*map(tuple, one.lines)]) if one.rows else []
    head = [f"{one.title}:" if not lines else one.title] if one.title else []
    remarks = [line for remark in one.remarks for line in wrapped(remark)]
    return "\n".join([*head, *lines, *([""] if lines and remarks else []), *remarks])


def wrapped(remark: str) -> list[str]:
    """A remark in lines of a moderate width, the later ones indented; paths and the like are not broken."""
    return textwrap.wrap(remark, WIDTH, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)


WIDTH = 116
"""Letters of a line of remarks."""


def markdown(table: Table) -> str:
    """For an issue, a notebook or the documentation."""
    blocks = ["\n\n".join(markdown_block(one)) for part in table.parts for one in part.blocks]
    warnings = [f"> **Warning:** {one}" for one in table.warnings]
    return (
        "\n\n".join([f"## {table.outcome.name}", *blocks, *warnings, "\n".join(f"- {one}" for one in table.remarks)])
        + "\n"
    )


def markdown_block(one: Block) -> Iterator[str]:
    """One table."""
    if one.title:
        yield f"### {one.title}"
    if one.rows:
        line = ["---" if at < one.words else "--:" for at in range(len(one.head))]
        rows = [[cell.replace("|", "\\|") for cell in row] for row in (one.head, line, *one.lines[1:])]
        yield "\n".join(f"| {' | '.join(row)} |" for row in rows)
    if one.remarks:
        yield "\n".join(f"- {remark}" for remark in one.remarks)


ESCAPES = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "±": r"$\pm$", "×": r"$\times$", "‖": r"$\Vert$",
    "→": r"$\rightarrow$", "<": r"$<$", ">": r"$>$", "|": r"$\vert$", '"': r"\textquotedbl{}", "σ": r"$\sigma$",
    "·": r"$\cdot$", "≤": r"$\leq$", "≥": r"$\geq$", "…": r"\dots{}",
}  # fmt: skip
"""What LaTeX reads otherwise, or has no letter for."""


def latex(table: Table) -> str:
    """For a paper, to be read with `\\input`: one `table` with booktabs rules for each."""
    parts = [latex_block(one) for part in table.parts for one in part.blocks if one.rows]
    notes = [f"% {line}" for line in (f"sweep {table.outcome.name}", *table.warnings, *table.remarks, NEEDS)]
    return "\n".join([*notes, "", *parts])


NEEDS = r"needs \usepackage{booktabs} and \usepackage{graphicx}"


def latex_block(one: Block) -> str:
    """One table, as wide as the text at most; what is to be said of it is its caption."""
    kept = [at for at, name in enumerate(one.head) if name or any(row[at] for row in one.rows)]
    columns = "".join("l" if at < one.words or one.head[at] in WORDS else "r" for at in kept)
    head, *rows = (" & ".join(escaped(row[at]) for at in kept) + r" \\" for row in one.lines)
    lines = [r"\begin{table}", r"\centering", r"\resizebox{\ifdim\width>\textwidth\textwidth\else\width\fi}{!}{%"]
    foot = [r"\midrule", rows.pop()] if one.foot else []
    lines += [rf"\begin{{tabular}}{{{columns}}}", r"\toprule", head, r"\midrule", *rows, *foot, r"\bottomrule"]
    lines.append(r"\end{tabular}}")
    caption = ". ".join(one_line[:1].upper() + one_line[1:] for one_line in (one.title, *one.remarks) if one_line)
    return "\n".join([*lines, rf"\caption{{{escaped(caption)}.}}", r"\end{table}", ""])


WORDS = ("verdict", "health", "")
"""Columns that hold words wherever they stand."""


def escaped(text: str) -> str:
    """A text as LaTeX prints it, minus signs of figures as such."""
    return re.sub(r"(?<![\w$-])-(?=\d)", "$-$", "".join(map(letter, text)))


def letter(one: str) -> str:
    """One letter: ASCII, those of the table, Greek ones by name; `?` for what LaTeX has not."""
    if one.isascii() or one in ESCAPES:
        return ESCAPES.get(one, one)
    small = re.fullmatch(r"GREEK SMALL LETTER (\w+)", unicodedata.name(one, ""))
    return rf"$\{small[1].lower()}$" if small else "?"


def tidy(table: Table) -> str:
    """CSV for other programs: a row for every cell and seed."""
    names = list(dict.fromkeys(name for run in table.outcome.runs for name in scores_in(run.result)))
    head = ["cell", *table.outcome.axes, "seed", "state", "group", *(f"{one}_{two}" for one, two in names)]
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow([*head, "parameters", "seconds", "seconds_per_epoch", "same_as", "folder"])
    for number, part in enumerate(table.parts, 1):
        for row in part.group.rows:
            writer.writerows(tidy_rows(row, number, names))
    return buffer.getvalue()


def scores_in(result: Record | None) -> Iterator[tuple[str, str]]:
    """The splits and scores of a result."""
    for key in ("best", "last"):
        for split in ("train", "val", "test"):
            yield from ((split, name) for name in ((result or {}).get(key) or {}).get(split) or {})


def tidy_rows(row: Row, number: int, names: Sequence[tuple[str, str]]) -> Iterator[list[object]]:
    """The runs of a cell; scores as the run has them, shares as fractions of 1."""
    cell = row.cell
    for run in row.runs or cell.runs.values():
        result = run.result or {}
        entry = (result.get("last" if result.get("select") == "last" else "best") or {}) if result else {}
        scores = [(entry.get(split) or {}).get(name) for split, name in names]
        times = [result.get("seconds"), result.get("seconds_per_epoch")]
        told = [cell.name, *cell.labels.values(), run.seed, run.state, number, *scores, cell.parameters, *times]
        yield [*told, cell.same_as, run.folder.path.relative_to(run.folder.path.parent.parent)]


FORMATS: Mapping[str, Callable[[Table], str]] = {"text": text, "markdown": markdown, "latex": latex, "csv": tidy}
"""The forms, by the word of `--as`."""
