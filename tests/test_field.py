"""Specs of the field's architectures write their layers out, and what they write is what the library has."""

import pytest

from archspec.syntax import tree
from archspec.syntax.load import load_library, load_spec
from archspec.syntax.printer import print_body, print_heading

FIELD = (
    *("appnp", "edge_conv", "gat", "gated_gcn", "gatv2", "gcn", "gcnii", "graph_sage", "graph_sage_mean"),
    *("graph_transformer", "jumping_knowledge", "gine", "gated_gcn_bonds", "virtual_node", "gps", "graphormer"),
    *("egt", "grit", "ckgconv", "exphormer", "pna"),
)
LIBRARY = load_library()


def text(definition: tree.Definition) -> str:
    """A definition in canonical form."""
    return f"{print_heading(definition.heading)}: {print_body(definition.body)}"


@pytest.mark.parametrize("name", FIELD)
def test_definitions_that_the_library_has_are_the_librarys(name: str) -> None:
    written = {one: definition for one, definition in load_spec(name).definitions.items() if one in LIBRARY}
    assert {one: text(written[one]) for one in written} == {one: text(LIBRARY[one]) for one in written}


def test_another_definition_is_seen() -> None:
    assert text(load_spec("gcn").definitions["gcn"]) != text(load_spec("gat").definitions["gat"])
