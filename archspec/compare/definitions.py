"""Two specs definition by definition: what was added, removed, changed, and what changed inside of what both have."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from archspec.compare.alike import Aligned
from archspec.compare.forms import size
from archspec.compare.marks import Alike, gone, new
from archspec.compare.remarks import in_words
from archspec.compare.renames import names_within, rows, with_names
from archspec.syntax import tree
from archspec.syntax.printer import print_body, print_heading, print_statement, print_values
from archspec.syntax.spec import Spec

Sign = Literal["+", "-", "~"]

MOST = 0.62
"""The share of two lines that may differ where they are shown as one, unless a short text replaces another whole."""

WIDEST = 100
"""Characters of a line in which one text replaces another as a whole."""


@dataclass(frozen=True)
class Line:
    """A line that is new (+), gone (-) or changed (~), then with marks; `remarks` say what happened."""

    sign: Sign
    text: str
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Change:
    """One entry that is only in the second (+), only in the first (-), or in both but not the same (~)."""

    sign: Sign
    path: str
    lines: tuple[Line, ...]


def parts(spec: Spec, extra: Mapping[str, tree.Definition]) -> Mapping[str, tree.Definition]:
    """Every equation of a spec by its path, as definitions; `extra` are some of the library's."""
    found = {f"sizes.{name}": headless(name, value) for name, value in spec.sizes.items()}
    found |= {"input": bare("input", spec.input), "stack": headless("stack", as_expression(spec.stack))}
    found |= {"output": bare("output", spec.output)}
    found |= {"penalty": bare("penalty", spec.penalty)} if spec.penalty else {}
    return found | {f"where.{name}": one for name, one in {**extra, **spec.definitions}.items()}


def headless(name: str, value: tree.Expr) -> tree.Definition:
    """An expression under a name."""
    return bare(name, tree.Body(value.span, (), (value,)))


def bare(name: str, body: tree.Body) -> tree.Definition:
    """A body under a name."""
    return tree.Definition(body.span, tree.Heading(body.span, name), body)


def as_expression(stage: tree.Stage) -> tree.Expr:
    """A stack as if it were an equation: `4 * layer` a product, `a -> b` a pipe."""
    if isinstance(stage, tree.Chain):
        first, *rest = map(as_expression, stage.stages)
        return tree.Pipe(stage.span, first, tuple(rest))
    if isinstance(stage, tree.Repeat):
        return tree.Binary(stage.span, "*", stage.count, as_expression(stage.stage))
    if isinstance(stage, tree.Call):
        inner = tuple(
            tree.Argument(one.span, one.name, as_expression(one.value))
            if isinstance(one.value, tree.Chain | tree.Repeat)
            else one
            for one in stage.arguments
        )
        return tree.Call(stage.span, stage.function, inner)
    return stage


def changes(
    old: Mapping[str, tree.Definition], fresh: Mapping[str, tree.Definition], states: Sequence[str]
) -> Iterator[Change]:
    """The parts that differ, each where its own text has it."""
    for path in merged(list(old), list(fresh)):
        if path not in fresh:
            yield Change("-", path, tuple(Line("-", text) for text in whole(old[path])))
        elif path not in old:
            yield Change("+", path, tuple(Line("+", text) for text in whole(fresh[path])))
        elif lines := tuple(between(old[path], fresh[path], states)):
            yield Change("~", path, lines)


def merged(old: Sequence[str], new: Sequence[str]) -> list[str]:
    """All keys in the order of the first; one that only the second has comes behind the key before it there."""
    keys = list(old)
    for before, key in zip([None, *new], new, strict=False):
        if key not in keys:
            keys.insert(keys.index(before) + 1 if before is not None else 0, key)
    return keys


def whole(one: tree.Definition) -> list[str]:
    """A definition as lines."""
    heading, body = print_heading(one.heading), print_body(one.body).splitlines()
    return [f"{heading}: {body[0]}"] if len(body) == 1 else [f"{heading}: |", *(f"  {line}" for line in body)]


def between(old: tree.Definition, fresh: tree.Definition, states: Sequence[str]) -> Iterator[Line]:
    """The lines of a definition that differ, names of arguments and locals aside."""
    fresh = with_names(fresh, names_within(old, fresh, states))
    headings = print_heading(old.heading), print_heading(fresh.heading)
    aligned = Aligned()
    before, after = rows(old.body), rows(fresh.body)
    steps = aligned.sequence(before, after, lambda one, other: near(aligned, one, other), "line", lambda one: one)
    single = len(before) == len(after) == 1 and len(steps) == 1
    lead = "" if not single or before[0].targets else heading_of(*headings)
    if headings[0] != headings[1] and not lead:
        yield Line("~", f"{heading_of(*headings)}: |")
    for step in steps:
        if step.sign != " ":
            texts = (before[step.old],) if step.sign == "-" else (after[step.fresh],)
            yield from (Line(step.sign, statement_text(text)) for text in texts)  # type: ignore[arg-type]
        elif step.cost or (lead and headings[0] != headings[1]):
            text = f"{lead}: {step.alike.text}" if lead else step.alike.text
            yield Line("~", text, tuple(in_words(step.remarks)))


def heading_of(old: str, fresh: str) -> str:
    """A heading, marked where it differs."""
    return old if old == fresh else gone(old) + new(fresh)


def near(aligned: Aligned, one: tree.Assign, other: tree.Assign) -> Alike | None:
    """Two lines as one marked line, where enough of them is the same or one text replaces another in few words."""
    if bool(one.targets) != bool(other.targets) or abs(size(one) - size(other)) > MOST * (size(one) + size(other)):
        return None
    found = aligned.statement(one, other)
    short = len(found.text) <= WIDEST and len(found.remarks) == 1 and found.remarks[0].kind == "replaced"
    return found if short or found.cost <= MOST * (size(one) + size(other)) else None


def statement_text(row: tree.Assign) -> str:
    """A line as it is written."""
    return print_statement(row) if row.targets else print_values(row.values)
