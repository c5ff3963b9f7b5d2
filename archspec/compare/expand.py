"""A spec that stands alone: the definitions of the library that it uses are written into its `where`."""

from archspec.syntax.library import reached
from archspec.syntax.load import parse_spec
from archspec.syntax.printer import print_body, print_heading
from archspec.syntax.spec import Spec
from archspec.syntax.writer import write_spec


def expand(spec: Spec) -> Spec:
    """The same architecture, so that nothing of it is elsewhere: no definition of the library is looked up any more."""
    model = spec.settings.model
    library = {print_heading(one.heading): print_body(one.body) for one in reached(spec).values()}
    whole = model.model_copy(update={"where": {**model.where, **library}})
    return parse_spec(write_spec(spec.settings.model_copy(update={"model": whole})), spec.source.path)
