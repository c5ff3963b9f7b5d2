"""The equations of a spec as formulas, by part."""

from collections.abc import Iterator

from archspec.notation.equations import definition, expression, lines, stack
from archspec.notation.formula import Formula, row, sign
from archspec.notation.names import name
from archspec.syntax.spec import Spec


def formulas(spec: Spec) -> Iterator[tuple[str, list[Formula]]]:
    """(title, formulas) of sizes, input, stack, output, penalty, then of every definition of the spec's own."""
    if spec.sizes:
        yield "sizes", [row(name(key), sign("="), expression(value)) for key, value in spec.sizes.items()]
    yield "input", lines(spec.input)
    yield "stack", [stack(spec.stack)]
    yield "output", lines(spec.output)
    if spec.penalty is not None:
        yield "penalty", lines(spec.penalty)
    for key, one in spec.definitions.items():
        yield key, definition(one.heading, one.body)
