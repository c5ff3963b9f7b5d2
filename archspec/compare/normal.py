"""The normal form of a program: one graph of terms in which names, order and blocks are gone.

States are replaced by what they stand for, section after section, so that a layer in two blocks is the layer in one,
and what nothing reads is not there. Which arithmetic makes terms equal is said in `arithmetic.py`.
"""

from collections.abc import Iterator, Mapping

from archspec.compare.arithmetic import value_of
from archspec.compare.terms import Form, Instance, Mark, Scaled
from archspec.ir.nodes import Node, Program, full_name
from archspec.ir.ops import RANDOM, weights_of
from archspec.ir.settings import frozen, initial
from archspec.passes.factor import factor
from archspec.passes.fold import fold
from archspec.passes.hoist import hoist
from archspec.passes.narrow import narrow
from archspec.passes.share import share

PASSES = (fold, share, narrow, hoist, factor)
"""Rewrites that bring different texts of one function together before terms are made; none fuses or splits."""


def form_of(program: Program) -> Form:
    """The normal form of a program; what is not known without a data set stays open in it."""
    for rewrite in PASSES:
        program = rewrite(program)
    form, states, history = Form(), dict[str, Scaled](), list[Mapping[str, Scaled]]()
    note = Notes(program)
    for place, (path, section) in enumerate(program.sections()):
        instance = Instance(form, path, place, dict(section.sets))
        for node in section.nodes:
            if node.op == "state":
                layer = node["layer"]
                known = history[layer] if isinstance(layer, int) else states
                instance.values[id(node)] = known[str(node["name"])]
            else:
                instance.values[id(node)] = value_of(node, instance, note.marks_of(node, instance))
        if path in ("output", "penalty"):
            [(_, root)] = section.results
            form.roots[path] = instance.whole(root)
        else:
            states = {**states, **{name: instance.scaled(node) for name, node in section.results}}
            history.append(states)
    return form


class Notes:
    """What is known of the marks of a program."""

    def __init__(self, program: Program):
        self.initial = initial(program.settings)
        self.frozen = frozen(program.settings)

    def marks_of(self, node: Node, instance: Instance) -> tuple[str, ...]:
        """The marks of a node, noted in the form: its weights, and a draw of its own where chance has a part."""
        return tuple(self.found(node, instance))

    def found(self, node: Node, instance: Instance) -> Iterator[str]:
        """Name by name."""
        if node.path and node.op != "average":
            name = full_name(instance.path, node.path)
            instance.form.marks.setdefault(name, self.mark(node, instance.path))
            yield name
        if node.op in RANDOM:
            draw = f"draw {instance.place} {len(instance.values)}"
            instance.form.marks[draw] = Mark((node.op, "draw"), None, None)
            yield draw

    def mark(self, node: Node, path: str) -> Mark:
        """The weights of a node."""
        weights = [(full_name(path, name), weight) for name, weight in weights_of(node)]
        kind = (node.op, tuple((weight.name, weight.shape) for _, weight in weights))
        said = tuple(str(self.initial.get(name)) for name, _ in weights)
        still = tuple(self.frozen.get(name) for name, _ in weights)
        starts = tuple(str(weight.start) for _, weight in weights)
        return Mark(kind, (starts, said, still), said)
