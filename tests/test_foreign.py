"""`pyg(…)` and `python(…)`: how modules are made and called, what their weights go by, and what is wrong with them."""

import pickle

import pytest
import torch
from torch_geometric.data import Data

from archspec.check.settings import check_settings
from archspec.cost.parameters import uncounted
from archspec.diagnostics import SpecError
from archspec.equal.compare import compare
from archspec.equal.module import agreement
from archspec.interface.checking import told
from archspec.ir.settings import may_match
from archspec.pipeline import build, compile_spec
from archspec.runtime.batch import as_batch
from archspec.syntax.load import parse_spec
from archspec.syntax.spec import Spec
from tests.checking import spec_text
from tests.compiling import CATEGORIES, of_spec

EDGES = "e[i, j in N] = linear(x, 3)[i] * linear(x, 3)[j]\nw[i, j in N] = sigmoid(linear(x)[i] + linear(x)[j])\n"

PYG = {
    "GATConv": ("x = x + conv(x, e)", 'pyg("GATConv", axes = d, heads = heads, concat = false)'),
    "GATConv, heads side by side": ("x = x + conv(x)", 'pyg("GATConv", axes = d, out_channels = c, heads = heads)'),
    "GATv2Conv": ("h = conv(x)\nx = x + view(h, d)", 'pyg("GATv2Conv", axes = (heads, c), share_weights = true)'),
    "GCNConv": ("x = x + conv(x, w)", 'pyg("GCNConv", axes = d, normalize = false)'),
    "SAGEConv": ("x = x -> conv -> relu", 'pyg("SAGEConv", axes = d, aggr = "max")'),
    "TransformerConv": ("x = conv(x, e)", 'pyg("TransformerConv", axes = d, heads = 1, beta = true)'),
    "GCN2Conv": ("x = conv(x, tanh(x))", 'pyg("GCN2Conv", axes = d, alpha = 0.3)'),
    "a norm": ("x = x + conv(x)", 'pyg("PairNorm", axes = d)'),
    "several calls": ("x = conv(conv(x, e), e) + shared(conv)(x) - shared(conv)(2 * x)", 'pyg("GATConv", axes = d)'),
}

PYTHON = {
    "two operands": ("x = mine(x, linear(x, d))", 'python("tests.foreign_modules:Gate", axes = d, bias = false)'),
    "per edge": (EDGES + "x = x + sum[j in N](mine(x[i], x[j]))", 'python("tests.foreign_modules:Gate", axes = d)'),
    "options": (
        "x = mine(x, b)",
        'python("tests.foreign_modules:Gate", axes = d, mode = "tanh", width = d)\nb: vector(d, 1)',
    ),
    "axes by name": ("x = x * linear(mine(x, x), d)", 'python("tests.foreign_modules:Gate", axes = (heads, c))'),
    "with a norm": ("x = x + batch_norm(mine(x))", 'python("tests.foreign_modules:Normed", axes = d)'),
    "in another spelling": ('x = x -> python("tests.foreign_modules:Normed", axes = d)', "1"),
}


def spec(layer: str, where: str, **parts: str) -> Spec:
    return parse_spec(spec_text(layer=layer, where=where, **parts), "test.yaml")


def foreign(name: str) -> Spec:
    if name in PYG:
        layer, made = PYG[name]
        return spec(EDGES + layer, f"conv: {made}")
    layer, made = PYTHON[name]
    return spec(layer, f"mine: {made}")


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("name", [*PYG, *PYTHON])
def test_modules_compute_what_the_reference_does(name: str, training: bool) -> None:
    made = of_spec(foreign(name), CATEGORIES)
    found = compare(made.built.module, made.built.program, made.graphs("everything"), made.weights, training)
    assert found.ok(), str(found)
    assert made.weights.keys() == made.built.module.state_dict().keys()


def test_edges_come_from_source_to_target() -> None:
    """By hand: one edge, from node 1 to node 0, and a sum of neighbours without weights."""
    built = build(spec("x = conv(x)", 'conv: pyg("SimpleConv", axes = d, aggr = "sum")'))
    given = as_batch(Data(x=torch.tensor([0, 1]), edge_index=torch.tensor([[1], [0]])))
    h = torch.tensor([[1.0] * 8, [5.0] * 8])
    assert built.module.layers[0](given, h).tolist() == [[5.0] * 8, [0.0] * 8]


def test_names_and_counts() -> None:
    read = foreign("several calls")
    built = build(read)
    names = [name for name in built.module.state_dict() if "att_src" in name]
    assert names == [
        "shared.conv.att_src",
        *(f"layers.{k}.{one}.att_src" for k in (0, 1) for one in ("conv", "conv_2")),
    ]
    assert uncounted(built.program) == " + weights of pyg(GATConv), counted when built"
    assert told(read, static=True).endswith(" parameters + weights of pyg(GATConv), counted when built")
    total = sum(one.numel() for one in built.module.parameters())
    assert told(read, static=False).startswith(f"ok, {total:,} parameters, outputs and gradients equal")


def test_local_names_and_the_class_name_modules() -> None:
    read = spec('h = conv(x)\nx = h + (x -> pyg("LayerNorm", axes = d))', 'conv: pyg("GCNConv", axes = d)')
    names = {name.split(".")[2] for name in build(read).module.state_dict() if name.startswith("layers.0.")}
    assert names == {"h", "LayerNorm"}


def test_modules_are_pickled_and_drawn_with_the_seed() -> None:
    read = foreign("GATConv")
    torch.manual_seed(7)
    one = build(read).module
    torch.manual_seed(7)
    other = pickle.loads(pickle.dumps(build(read).module))
    assert all(torch.equal(a, b) for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True))


def test_nothing_is_imported_until_it_is_built() -> None:
    for made in ('pyg("NoSuchConv", axes = d)', 'python("no.such.module:Class", axes = d)'):
        assert "conv(" in compile_spec(spec("x = conv(x)", f"conv: {made}")).code


MISTAKES = {
    'pyg("GATConf", axes = d)': "E0508 torch_geometric.nn has no class GATConf (write `GATConv`)",
    'pyg("functional", axes = d)': "E0508 torch_geometric.nn has no class functional",
    'pyg("GINConv", axes = d)': "E0509 pyg(GINConv) cannot be made: GINConv.__init__() missing",
    'pyg("GATConv", axes = d, head = 2)': "E0509 pyg(GATConv) cannot be made: ",
    'pyg("GATConv", axes = d, heads = 4)': "E0510 pyg(GATConv) gives 32 features, and `axes` declares 8",
    'pyg("DMoNPooling", axes = d, k = 2)': "E0510 pyg(DMoNPooling) cannot be called: ",
    'python("no.such.module:Class", axes = d)': "E0508 there is no module no.such.module",
    'python("tests.foreign_modules:Gat", axes = d)': "E0508 the module tests.foreign_modules has no class Gat (write",
    'python("tests.foreign_modules:NoModule", axes = d)': "E0509 python(tests.foreign_modules:NoModule) cannot be made",
    'python("tests.foreign_modules:Picky", axes = d)': "cannot be made: no luck today (",
    'python("tests.foreign_modules:Gate", axes = d)': "E0510 python(tests.foreign_modules:Gate) cannot be called: ",
    'python("tests.foreign_modules:Pair", axes = d)': "python(tests.foreign_modules:Pair) gives a tuple, not a tensor",
    'python("tests.foreign_modules:Wide", axes = d)': "gives 16 features, and `axes` declares 8",
    'python("tests.foreign_modules:Total", axes = d)': "gives the shape (8,) on 3 rows, and `axes` declares (3, 8)",
}


@pytest.mark.parametrize("made", MISTAKES)
def test_what_is_wrong_is_told_where_it_is_called(made: str) -> None:
    with pytest.raises(SpecError) as caught:
        build(spec("x = conv(x)", f"conv: {made}"))
    [problem] = caught.value.diagnostics
    assert MISTAKES[made] in f"{problem.code} {problem.message} ({problem.help})"
    assert problem.span is not None
    assert problem.span.text == "conv(x)"
    assert problem.help


def test_a_module_that_mixes_the_graphs_of_a_batch_is_told() -> None:
    with pytest.raises(SpecError, match=r"E0511 python\(tests.foreign_modules:Mixes\) gives something else in a batch"):
        agreement(spec("x = tanh(mine(x))", 'mine: python("tests.foreign_modules:Mixes", axes = d)'))


def test_a_module_may_ask_for_the_batch() -> None:
    read = spec("x = linear(mine(x), d)", 'mine: python("tests.foreign_modules:Asks", axes = d + 1)')
    assert agreement(read) == (
        "not compared with the reference: Asks asks for the batch, which the reference does not have"
    )


def test_parameters_of_modules() -> None:
    settings = "layers.0.conv.att_*: {init: 2, frozen: until epoch 3}\n'*.lin.weight': {init: {name: zeros_}}"
    read = parse_spec(spec_text(layer="x = conv(x)", where='conv: pyg("GATConv", axes = d)', parameters=settings))
    built = build(read)
    weights = built.module.state_dict()
    assert weights["layers.0.conv.att_src"].unique().tolist() == [2]
    assert not weights["layers.1.conv.lin.weight"].any()
    assert built.program.settings[0].names == ("layers.0.conv.att_src", "layers.0.conv.att_dst")
    assert agreement(read).startswith("outputs and gradients equal")
    for wrong, code in (("layers.0.conv.attt: {init: 2}", "E0501"), ("layers.*.conv.bias: {init: [1, 2]}", "E0502")):
        part = parse_spec(spec_text(layer="x = conv(x)", where='conv: pyg("GATConv", axes = d)', parameters=wrong))
        assert check_settings(part, compile_spec(part).program)
        with pytest.raises(SpecError, match=code):
            build(part)


@pytest.mark.parametrize(
    ("pattern", "wanted"),
    [
        ("layers.0.conv.lin.weight", True),
        ("*.weight", True),
        ("layers.*.lin.*", True),
        ("layers.1.*", False),
        ("layers.0.conv", False),
        ("layers.0.convolution.*", False),
        ("input.*", False),
    ],
)
def test_patterns_that_may_stand_for_weights_of_modules(pattern: str, wanted: bool) -> None:
    assert may_match(pattern, "layers.0.conv") is wanted
