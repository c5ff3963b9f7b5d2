"""Which definition of a spec an operation was written in: by its place in the text."""

from collections.abc import Iterator

from archspec.ir.nodes import Node
from archspec.source import Span
from archspec.syntax.library import reached
from archspec.syntax.spec import Spec


class Places:
    """Where the definitions of a spec and of the library stand."""

    def __init__(self, spec: Spec):
        self.known = list(places(spec))

    def definition(self, node: Node) -> str:
        """The definition whose text a node comes from; "" for none."""
        return next((name for name, span in self.known if holds(span, node.span)), "")


def places(spec: Spec) -> Iterator[tuple[str, Span]]:
    """Every definition that it may need, and the ends of the model, with the text each takes."""
    for name, definition in {**reached(spec), **spec.definitions}.items():
        yield name, definition.heading.span.to(definition.body.span)
    ends = {"input": spec.input, "output": spec.output, "penalty": spec.penalty}
    yield from ((name, body.span) for name, body in ends.items() if body is not None)


def holds(span: Span, other: Span) -> bool:
    """Whether a text begins in another."""
    return span.source is other.source and span.start <= other.start < max(span.end, span.start + 1)
