"""Long lines of emitted code, broken where Python allows it: within brackets, at commas or operators."""

from collections.abc import Iterator, Sequence

WIDTH = 120
STEP = 4

OPERATORS = ((" + ", " - "), (" * ", " / "))
"""Where a bracketed expression may be broken, those that bind least first."""


def wrapped(line: str, indent: int) -> list[str]:
    """The line at an indent, in as many lines as it takes; a line without brackets and operators stays too long."""
    if indent + len(line) <= WIDTH:
        return [" " * indent + line]
    head, value = assigned(line)
    for operators in OPERATORS:
        if len(parts := split(value, operators)) > 1 and not value.endswith(","):
            return [" " * indent + f"{head}(", *broken(parts, indent + STEP), " " * indent + ")"]
    return in_brackets(line, indent)


def assigned(line: str) -> tuple[str, str]:
    """`x = `, `x, y = ` or `return `, and what follows."""
    equals = (at + 3 for at, depth in depths(line) if depth == 0 and line.startswith(" = ", at))
    cut = len("return ") if line.startswith("return ") else next(equals, 0)
    return line[:cut], line[cut:]


def broken(parts: Sequence[str], indent: int) -> Iterator[str]:
    """All on one line where that fits, else each on its own."""
    if indent + len(joined := " ".join(parts)) <= WIDTH:
        yield " " * indent + joined
        return
    for part in parts:
        yield from in_brackets(part, indent)


def in_brackets(line: str, indent: int) -> list[str]:
    """The line broken within its longest pair of brackets: what is inside on one line, or an argument a line."""
    if indent + len(line) <= WIDTH:
        return [" " * indent + line]
    start, end = longest_brackets(line)
    if end - start < 2:
        return [" " * indent + line]
    inside = line[start + 1 : end]
    lines = [" " * indent + line[: start + 1]]
    if indent + STEP + len(inside) <= WIDTH and not inside.endswith(","):
        lines.append(" " * (indent + STEP) + inside)
    else:
        lines += several(inside, indent + STEP)
    return [*lines, " " * indent + line[end:]]


def several(inside: str, indent: int) -> Iterator[str]:
    """What stands within brackets: an argument a line, or one value, which a comma would make a tuple."""
    arguments = split(inside.rstrip(","), (", ",))
    if len(arguments) > 1 or inside.endswith(","):
        for argument in arguments:
            yield from wrapped(argument.removeprefix(", ").removesuffix(",") + ",", indent)
        return
    parts = next((parts for operators in OPERATORS if len(parts := split(inside, operators)) > 1), [inside])
    yield from broken(parts, indent)


def split(text: str, separators: Sequence[str]) -> list[str]:
    """The text cut before every separator outside brackets; a part begins with its separator, without blanks."""
    cuts = [at for at, depth in depths(text) if depth == 0 and text.startswith(tuple(separators), at) and at]
    return [text[start:end].strip() for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]


def longest_brackets(text: str) -> tuple[int, int]:
    """Places of the outermost pair of brackets that holds most, the last of equal ones."""
    best, start = (0, 0), 0
    for at, depth in depths(text):
        if text[at] in "([{" and depth == 0:
            start = at
        if text[at] in ")]}" and depth == 1 and at - start >= best[1] - best[0]:
            best = (start, at)
    return best


def depths(text: str) -> Iterator[tuple[int, int]]:
    """Every place that is not inside quotes, and how many brackets are open before it."""
    depth, quote = 0, ""
    for at, character in enumerate(text):
        if quote:
            quote = "" if character == quote else quote
            continue
        yield at, depth
        if character in "\"'":
            quote = character
        depth += (character in "([{") - (character in ")]}")
