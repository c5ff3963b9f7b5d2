"""Every spec that comes with archspec, compiled, against the reference: outputs and gradients on odd graphs."""

import pytest
import torch

from archspec.equal.batch import packed
from archspec.equal.compare import compare, differences, of_module, of_reference, prepared
from archspec.passes.forms import FORMS
from archspec.passes.optimise import PASSES
from archspec.syntax.load import load_library
from tests.compiling import CATEGORIES, FILES, WHOLE, new_programs, of_file, of_layer
from tests.graphs import BATCHES, permuted

BACKENDS = sorted({form.backend for forms in FORMS.values() for form in forms})
MIXED = ("everything", "all undirected", "no edges anywhere", "first and last without edges")


def test_there_are_specs():
    assert {"gin", "gin_sigmoid_eps", "position_gating", "content_attention"} <= set(FILES)


@pytest.mark.parametrize("training", [True, False], ids=["training", "evaluation"])
@pytest.mark.parametrize("spec", FILES)
def test_agrees_with_the_reference(spec, training):
    case = of_file(spec)
    for name in BATCHES if spec in WHOLE else MIXED:
        found = compare(case.built.module, case.built.program, case.graphs(name), case.weights, training)
        assert found.ok(), f"{name}: {found}"


@pytest.mark.parametrize("spec", new_programs())
def test_every_form_agrees_with_the_reference(spec):
    cases = {case.built.code: case for case in (of_file(spec, True, backend) for backend in BACKENDS)}
    for name in MIXED:
        case = of_file(spec, True)
        wanted = of_reference(case.built.program, case.graphs(name), case.weights, training=True)
        for other in cases.values():
            ours = of_module(other.built.module, case.graphs(name), case.weights, training=True)
            assert (found := differences(ours, wanted)).ok(), f"{name}: {found}\n{other.built.code}"


@pytest.mark.parametrize("spec", new_programs())
def test_every_pass_keeps_values_and_gradients(spec):
    case = of_file(spec, True)
    program = case.built.program
    wanted = of_reference(program, case.graphs("everything"), case.weights, training=True)
    for rewrite in PASSES:
        program = rewrite(program)
        found = differences(of_reference(program, case.graphs("everything"), case.weights, training=True), wanted)
        assert found.ok(), f"{rewrite.__name__}: {found}"


@pytest.mark.parametrize("spec", FILES)
def test_a_graph_does_not_depend_on_its_batch_mates(spec):
    case = of_file(spec)
    module = prepared(case.built.module, case.weights, training=False)
    graphs = case.graphs("everything")
    together = module(packed(graphs)).split(case.rows(graphs))
    for graph, result in zip(graphs, together, strict=True):
        torch.testing.assert_close(module(packed([graph])), result, rtol=1e-9, atol=1e-9)


NUMBERED = ("exphormer",)
"""Specs that read `expander`, which depends on how nodes are numbered."""


@pytest.mark.parametrize("training", [True, False], ids=["training", "evaluation"])
@pytest.mark.parametrize("spec", [spec for spec in FILES if spec not in NUMBERED])
def test_numbering_nodes_otherwise_permutes_the_prediction(spec, training):
    case = of_file(spec)
    graphs = case.graphs("everything")
    orders = [torch.randperm(graph.nodes, generator=torch.Generator().manual_seed(graph.nodes)) for graph in graphs]
    others = [permuted(graph, order.tolist()) for graph, order in zip(graphs, orders, strict=True)]
    one, other = (prepared(case.built.module, case.weights, training)(packed(batch)) for batch in (graphs, others))
    sizes = case.rows(graphs)
    for graph, before, after, order in zip(graphs, one.split(sizes), other.split(sizes), orders, strict=True):
        wanted = before[case.places(graph, order.tolist())]
        torch.testing.assert_close(after, wanted, rtol=1e-8, atol=1e-8)


BLOCKS = {name: one for name, one in load_library().items() if one.heading.parameters}
GIVEN = {"f": "ffn", "e": "e", "p": "p", "m": "p"}
"""What a block gets for an argument that has no default; a state if it is not listed."""
PAIRS = {"e": "e[i, j in N] = x[i] * x[j]", "p": "p[i, j in V] = x[i] * tanh(x[j])"}
"""What is not a state of the spec."""
PER_PAIR = ("softmax_weights", "gauss_weights", "kernel")
"""Blocks whose result is per pair."""


def lines_of(block: str) -> tuple[str, ...]:
    """A layer that calls a block; the second of its results is one per edge or pair."""
    definition = BLOCKS[block]
    given = [GIVEN.get(one.name, "x") for one in definition.heading.parameters if one.default is None]
    call = f"{block}({', '.join(given)})"
    before = tuple(line for name, line in PAIRS.items() if name in given)
    if block in PER_PAIR:
        return (*before, f"a = {call}", "x = tanh(sum[j](a[i,j] * x[j]))")
    if len(definition.body.result) == 1:
        return (*before, f"x = tanh({call})")
    return (*before, f"y, g = {call}", "x = tanh(y + linear(sum[j in N](g[i,j]), d))")


@pytest.mark.parametrize("block", BLOCKS)
def test_blocks_of_the_library_agree_with_the_reference(block):
    case = of_layer(*lines_of(block))
    for name in MIXED:
        found = compare(case.built.module, case.built.program, case.graphs(name), case.weights, training=True)
        assert found.ok(), f"{name}: {found}"


EXPRESSIONS = (
    "detach(x * w - x)",
    "detach(x - 0.5) * x",
    "-(x - w)",
    "-x ** 2 - (-x) ** 2",
    "x - (x - (w - x)) - (1 - x)",
    "x / (2 + w * w) / (3 / (2 + x * x)) * (x / 2)",
    "(1 + x * x) ** (0.1 * w) ** 2",
    "x * (x + w) - (x + w) * -x - -1",
    "maximum(x - 1, w) - minimum(0.5, -x)",
    "(x - w if x - w > w - x * 2 else w - x) * 2",
    "view(x - w, heads, c) @ (linear(x, heads) - 1) -> linear(d)",
    "linear(concat(x - w, linear(x) - 1, 2 - w), d) - w",
    "sum[j in N](tanh(x[i] - w) - (x[j] - w)) - w",
    "sum[j in N]((w - x[i]) * (x[j] - w) * sigmoid(x[i] - x[j]))",
)


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_operators_keep_their_brackets(expression):
    case = of_layer("w = vector(d, 1)", f"x = x + tanh({expression})")
    found = compare(case.built.module, case.built.program, case.graphs("everything"), case.weights)
    assert found.ok(), f"{found}\n{case.built.code}"


def test_running_statistics_move_a_tenth_towards_those_of_the_batch():
    case = of_layer("x = batch_norm(x)")
    module = prepared(case.built.module, case.weights, training=True)
    graphs = case.graphs("everything")
    module(packed(graphs))
    rows = module.input(packed(graphs))
    old, new = case.weights, module.state_dict()
    for name, now in (("running_mean", rows.mean(0)), ("running_var", rows.var(0))):
        key = f"layers.0.batch_norm.{name}"
        torch.testing.assert_close(new[key], 0.9 * old[key] + 0.1 * now)


@pytest.mark.parametrize("spec", FILES)
def test_no_graph_gives_a_nan_in_single_precision(spec):
    case = of_file(spec)
    module = prepared(case.built.module, case.weights, training=True).float()
    for name in BATCHES:
        prediction = module(packed(case.graphs(name)))
        prediction.square().sum().backward()
        assert prediction.isfinite().all(), name
    assert all(weight.grad is None or weight.grad.isfinite().all() for weight in module.parameters())


def test_categories_are_taken():
    assert CATEGORIES.letters
    assert of_file("gin").graphs("no edges")[0].x.dtype == torch.int64
