"""A spec that stands alone: the definitions of the library that it uses are written into its `where`."""

from collections.abc import Mapping

from archspec.syntax import tree
from archspec.syntax.load import load_library, parse_spec
from archspec.syntax.printer import print_body, print_heading
from archspec.syntax.spec import Spec
from archspec.syntax.writer import write_spec


def expand(spec: Spec) -> Spec:
    """The same architecture, so that nothing of it is elsewhere: no definition of the library is looked up any more."""
    model = spec.settings.model
    library = {print_heading(one.heading): print_body(one.body) for one in reached(spec).values()}
    whole = model.model_copy(update={"where": {**model.where, **library}})
    return parse_spec(write_spec(spec.settings.model_copy(update={"model": whole})), spec.source.path)


def reached(spec: Spec) -> Mapping[str, tree.Definition]:
    """The definitions of the library that a spec needs."""
    known = {**load_library(), **spec.definitions}
    found: dict[str, tree.Definition] = {}
    left: list[object] = [spec.input, spec.stack, spec.output, spec.penalty, *spec.definitions.values()]
    while left:
        for node in tree.walk(left.pop()):
            if isinstance(node, tree.Name) and node.id in known and node.id not in {**found, **spec.definitions}:
                found[node.id] = known[node.id]
                left.append(known[node.id])
    return found
