"""Labels of edges and of listed pairs: the set `targets`, predictions on it, and training from spec to predictions."""

import csv
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from archspec import runtime as rt
from archspec.commands.main import run
from archspec.data.colouring import BASES
from archspec.data.generated import RECIPES, Recipe
from archspec.data.load import load
from archspec.data.measure import measured
from archspec.data.packed import Packed
from archspec.data.plain import pyramid
from archspec.diagnostics import SpecError
from archspec.equal.batch import packed
from archspec.equal.compare import compare, of_module, of_reference, prepared
from archspec.equal.module import agreement
from archspec.facts import TABLE
from archspec.ir.types import NEIGHBOURS
from archspec.passes.optimise import PASSES
from archspec.pipeline import compile_spec
from archspec.reference import evaluate
from archspec.runtime.batch import Batch
from archspec.runtime.pairs import Pairs
from archspec.syntax.load import load_spec, parse_spec
from archspec.syntax.schema import DataSettings
from tests.compiling import NUMBERS, Case, forced, of_spec

OF_PAIRS = replace(NUMBERS, task="pair classification")
OF_EDGES = replace(NUMBERS, task="edge classification")

SPEC = """
name: test
model:
  sizes: {{d: 4, heads: 2}}
  input: x = encode(x, d)
  stack: 2 * layer
  output: |
{output}
  where:
    layer: |
{layer}
"""


def indented(lines: tuple[str, ...], width: int) -> str:
    return "\n".join(" " * width + line for line in lines)


def of_lines(layer: tuple[str, ...], output: tuple[str, ...], facts=OF_PAIRS, backend: str = "") -> Case:
    text = SPEC.format(layer=indented(layer, 6), output=indented(output, 4))
    return of_spec(parse_spec(text), facts, **forced(backend))


READ = ("y[i, j in targets] = linear(concat(x[i], x[j]), out)", "y")
PLAIN = ("x = tanh(x + sum[j in N](x[j]))",)

PROGRAMS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "of both nodes": (PLAIN, READ),
    "a product": (PLAIN, ("y[i, j in targets] = linear(relu(x[i] * x[j] + x[i]), out)", "y")),
    "of structure": (
        PLAIN,
        (
            "v = linear(walk(0..3), d) + linear(hops(0..2), d)",
            "y[i, j in targets] = linear(batch_norm(v[i,j] + x[i]), out)",
            "y",
        ),
    ),
    "an infinite distance, bounded": (PLAIN, ("y[i, j in targets] = minimum(distance[i,j], 3) * vector(out, 1)", "y")),
    "of edges, filled": (
        ("g[i, j in N] = x[i] * x[j]", "x = tanh(x + sum[j](g[i,j]))"),
        ("g[i, j in N] = linear(x[i] - x[j], out)", "y[i, j in targets] = fill(g, 0.5)[i,j] + fill(g, 0)[j,i]", "y"),
    ),
    "reductions over targets": (
        (
            "a = softmax[j in targets](x[i] @ x[j])",
            "x = tanh(x + sum[j](a[i,j] * x[j]) + max[j in targets](x[j]) + std[j in targets](x[i] * x[j]))",
            "x = x + linear(sum[j in targets - i](x[j]) + mean[j in targets + i](x[j]), d)",
        ),
        READ,
    ),
    "conditions": (
        (
            "far = targets if distance[i,j] > 1 and linear(x)[j] > 0",
            "x = tanh(x + sum[j in far](x[j] - x[i]) + sum[j in drop(targets, 0.2)](x[j]))",
        ),
        READ,
    ),
    "a third index": (
        ("x = tanh(x)",),
        (
            "r[i, j in V] = linear(x[i] * x[j])",
            "y[i, j in targets] = linear(concat(sum[k in V](r[i,k] * r[k,j]), max[k in targets](x[k] * x[j])), out)",
            "y",
        ),
    ),
    "per graph too": (PLAIN, ("g = mean[i in V](x[i])", "y[i, j in targets] = linear(x[i] * g + x[j], out)", "y")),
}


@pytest.mark.parametrize("backend", ["csr", "dense", "gather"])
@pytest.mark.parametrize("name", PROGRAMS)
def test_programs_agree_with_the_reference(name: str, backend: str) -> None:
    case = of_lines(*PROGRAMS[name], backend=backend)
    for graphs in ("everything", "no edges anywhere"):
        for training in (False, True):
            found = compare(case.built.module, case.built.program, case.graphs(graphs, 1), case.weights, training)
            assert found.ok(), f"{graphs}: {found}\n{case.built.code}"


@pytest.mark.parametrize("name", PROGRAMS)
def test_every_pass_keeps_values_and_gradients(name: str) -> None:
    case = of_lines(*PROGRAMS[name])
    graphs, program = case.graphs("everything", 1), case.built.program
    wanted = of_reference(program, graphs, case.weights)
    for rewrite in PASSES:
        program = rewrite(program)
        ours = of_reference(program, graphs, case.weights)
        torch.testing.assert_close(ours.prediction, wanted.prediction, rtol=1e-9, atol=1e-9, msg=rewrite.__name__)
        for key, gradient in wanted.gradients.items():
            torch.testing.assert_close(ours.gradients[key], gradient, rtol=1e-9, atol=1e-9)


def test_a_wrong_order_would_be_seen() -> None:
    case = of_lines(*PROGRAMS["of both nodes"])
    graphs = case.graphs("everything", 1)
    others = [replace(graph, targets=graph.targets[::-1]) for graph in graphs]
    ours, wanted = (
        of_module(case.built.module, others, case.weights),
        of_reference(case.built.program, graphs, case.weights),
    )
    assert ours.prediction.shape == wanted.prediction.shape
    assert not torch.allclose(ours.prediction, wanted.prediction)


PREDICTIONS = {
    "targets are the edges": ("y[i, j in targets] = linear(concat(x[i], x[j]), out)", "y"),
    "of edge features": ("y[i, j in N] = linear(e[i,j] + x[j], out)", "y"),
    "on V, read on edges": ("y[i, j in N] = linear(walk(0..2), out)[i,j] + linear(x, out)[j]", "y"),
}


@pytest.mark.parametrize("name", PREDICTIONS)
def test_predictions_of_edges_agree_with_the_reference(name: str) -> None:
    text = SPEC.format(layer=indented(PLAIN, 6), output=indented(PREDICTIONS[name], 4))
    if "e[" in text:
        text = text.replace("input: x = encode(x, d)", "input: |\n    x = encode(x, d)\n    e = encode(e, d)")
    case = of_spec(parse_spec(text), OF_EDGES)
    assert case.built.program.output.results[0][1].type.domain.over == NEIGHBOURS
    for graphs in ("everything", "edges out of order", "repeated edges", "no edges anywhere"):
        found = compare(case.built.module, case.built.program, case.graphs(graphs), case.weights, training=True)
        assert found.ok(), f"{graphs}: {found}\n{case.built.code}"


def test_a_prediction_by_hand_in_the_order_the_pairs_are_listed() -> None:
    case = of_lines(("x = x",), READ)
    w = case.weights
    [graph] = case.graphs("undirected")
    x = graph.x @ w["input.encode.weight"].T + w["input.encode.bias"]
    matrix, bias = (
        next(one for name, one in w.items() if name.startswith("output") and name.endswith(end))
        for end in ("weight", "bias")
    )
    rows = [torch.cat([x[i], x[j]]) @ matrix.T + bias for i, j in graph.targets]
    assert len(set(graph.targets)) < len(graph.targets)
    torch.testing.assert_close(evaluate(case.built.program, w, [graph])[0], torch.stack(rows))
    module = prepared(case.built.module, w, training=False)
    by_i = sorted(range(len(rows)), key=lambda row: graph.targets[row][0])
    torch.testing.assert_close(module(packed([graph])), torch.stack([rows[row] for row in by_i]))


def test_a_batch_lists_targets_by_i() -> None:
    batch = Batch(torch.zeros(3, 1), torch.tensor([0, 3]), Pairs(torch.zeros(4).long(), torch.zeros(0).int()))
    with pytest.raises(ValueError, match="lists no pairs"):
        batch.pairs("targets")
    with pytest.raises(ValueError, match="sorted by i"):
        replace(batch, cache={}, pair=torch.tensor([[1, 0], [0, 2]], dtype=torch.int32)).pairs("targets")
    found = replace(batch, cache={}, pair=torch.tensor([[0, 2], [2, 2], [2, 0]], dtype=torch.int32)).pairs("targets")
    assert (found.ptr.tolist(), found.source.tolist()) == ([0, 1, 1, 3], [2, 2, 0])


EDGES = torch.tensor([[0, 1], [1, 2]])


def test_pairs_of_pyg_are_those_of_edge_label_index() -> None:
    asked = torch.tensor([[0, 2, 1, 0], [2, 0, 2, 0]])
    batch = rt.as_batch(SimpleNamespace(x=torch.zeros(3, 1), edge_index=EDGES, edge_label_index=asked))
    assert batch.pair is not None
    assert batch.pair.tolist() == [[0, 2], [0, 0], [2, 0], [2, 1]]
    assert batch.pairs("targets").target.tolist() == [0, 0, 2, 2]
    assert rt.as_batch(SimpleNamespace(x=torch.zeros(3, 1), edge_index=EDGES)).pair is None
    with pytest.raises(ValueError, match="edge_label_index names nodes outside"):
        rt.as_batch(SimpleNamespace(x=torch.zeros(3, 1), edge_index=EDGES, edge_label_index=asked + 1))


MISTAKES = {
    (
        "colouring_pairs",
        "linear(x, out)",
    ): "E0310 the prediction is per node; the data set has labels per pair in targets "
    r"\(end with a value on the targets: `y\[i, j in targets\] = ",
    (
        "colouring_pairs",
        "linear(walk(0..2), out)",
    ): "E0310 the prediction is per pair in V; the data set has labels per pair in",
    (
        "colouring_pairs",
        "y[i, j in N] = linear(x[i], out)\ny",
    ): "E0310 the prediction is per edge; the data set has labels per",
    (
        "colouring_pairs",
        "y[i, j in targets] = linear(x[i])\ny",
    ): "E0310 the prediction must have the axis out, one number for each",
    ("colouring_pairs", "mean[i in V](x[i]) -> linear(out)"): "E0310 the prediction is per graph",
    ("colouring_pairs", "y[i, j in targets] = linear(distance[i,j], out)\ny"): "E0320",
    (
        "colouring_pairs",
        "g[i, j in N] = linear(x[i], out)\ny[i, j in targets] = g[i,j]\ny",
    ): "E0305 the value lives on N, which "
    r"does not hold every pair of targets \(reduce over N, or fill what is absent: `fill\(g, 0\)\[i, j\]`",
    (
        "colouring_pairs",
        "g[i, j in targets] = linear(x[i], out)\ny[i, j in targets] = g[j,i]\ny",
    ): "E0305 the value lives on targets, which need not hold",
    (
        "edges",
        "linear(x, out)",
    ): r"E0310 the prediction is per node; the data set has labels per edge \(end with a value per edge",
    (
        "edges",
        "y[i, j in V] = linear(x[i], out)\ny",
    ): "E0310 the prediction is per pair in V; the data set has labels per edge",
    (
        "pattern",
        "y[i, j in targets] = linear(x[i], out)\ny",
    ): "E0405 the data set `pattern` has labels per node, so there are no "
    r"targets \(name another set, such as N or V; data sets with labels of edges or pairs: "
    r"colouring_pairs, palindrome_pairs, pyramid_pairs\)",
}


@pytest.mark.parametrize(("name", "output"), MISTAKES)
def test_mistakes_are_told_at_their_place(name: str, output: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if name == "edges":
        monkeypatch.setitem(TABLE, "edges", OF_EDGES_OF_LETTERS)
    text = SPEC.format(layer=indented(PLAIN, 6), output=indented(tuple(output.split("\n")), 4))
    with pytest.raises(SpecError, match=MISTAKES[name, output]) as caught:
        compile_spec(parse_spec(f"{text}data: {{name: {name}}}\n"))
    assert len(caught.value.diagnostics) == 1
    assert caught.value.diagnostics[0].span is not None


@pytest.mark.parametrize("name", ["colouring", "colouring_pairs"])
def test_specs_agree_with_the_reference(name: str) -> None:
    assert agreement(load_spec(name, ["model.sizes.d=8"])).startswith("outputs and gradients equal")


# From the command line

OF_EDGES_OF_LETTERS = replace(
    TABLE["colouring"],
    name="edges",
    task="edge classification",
    out=2,
    letters=2,
    graphs={"train": 24, "val": 8, "test": 8},
)
"""Edges of random pyramids with two letters: whether both ends carry the same one."""


def of_edges(seed: int, split: str, graphs: int) -> Iterator[Packed]:
    for number in range(graphs):
        graph = pyramid(3 + number % 3)
        x = np.random.default_rng([seed, len(split), number]).integers(2, size=graph.nodes).astype(np.uint8)
        source, target = graph.edges
        degree = np.bincount(target, minlength=graph.nodes).astype(np.uint8)
        y = (x[source] == x[target]).astype(np.uint8)
        yield Packed(np.array([graph.nodes], np.int32), x, y, degree, source.astype(np.uint8), level="edge")


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """The command line in a fresh folder: what it prints; it must succeed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ARCHSPEC_CACHE", str(tmp_path / "cache"))
    monkeypatch.setitem(RECIPES, "edges", Recipe(1, OF_EDGES_OF_LETTERS.graphs, of_edges))
    monkeypatch.setitem(TABLE, "edges", OF_EDGES_OF_LETTERS)

    def called(*arguments: str) -> str:
        with pytest.raises(SystemExit) as left:
            run(arguments)
        out, err = capsys.readouterr()
        assert left.value.code == 0, err
        return out

    return called


def columns(path: str) -> dict[str, np.ndarray]:
    with Path(path).open() as file:
        rows = list(csv.DictReader(file))
    return {name: np.array([float(row[name]) for row in rows]) for name in rows[0]}


def test_edges_from_spec_to_predictions(call: Callable[..., str], tmp_path: Path) -> None:
    text = SPEC.format(
        layer=indented(("x = x + relu(linear(x, d))",), 6),
        output=indented(("y[i, j in targets] = linear(relu(linear(x, d)[i] + linear(x, d)[j]), out)", "y"), 4),
    )
    train = "{epochs: 16, optimizer: {name: adam, lr: 3e-2}}"
    Path("edges.yaml").write_text(f"{text}data: {{name: edges, batch_size: 8}}\ntrain: {train}\n")
    told = call("train", "edges.yaml", "--set", "model.sizes.d=16", "--run-dir", "run")
    assert "floor: always class" in told
    assert "the same as recorded, bit for bit" in call("evaluate", "run")
    edges = int(load(DataSettings(name="edges"), tmp_path / "cache").test.edges)
    assert call("predict", "run", "-o", "a.csv") == f"{edges} edges of 8 graphs → a.csv\n"
    found = columns("a.csv")
    assert [*found][:5] == ["graph", "i", "j", "label", "prediction"]
    assert (found["label"] == found["prediction"]).mean() > 0.95  # the most frequent has about a half
    for number, one in enumerate(of_edges(0, "test", 8)):
        here = found["graph"] == number
        i, j = found["i"][here].astype(int), found["j"][here].astype(int)
        assert j.tolist() == one.source.tolist()
        assert i.tolist() == np.repeat(np.arange(len(one.x)), one.degree).tolist()
        assert (found["label"][here] == (one.x[i] == one.x[j])).all()


def test_pairs_from_spec_to_predictions(call: Callable[..., str]) -> None:
    small = ("--set", "data.limit=2", "--set", "train.epochs=40", "--set", "model.sizes.d=16")
    told = call("train", "colouring_pairs", *small, "--run-dir", "run")
    assert "floor: always class 0, the most frequent" in told
    call("predict", "run", "--split", "train", "--checkpoint", "last", "-o", "a.csv")
    found = columns("a.csv")
    colours = [pyramid(base).y for base in BASES["train"][:2]]
    assert len(found["graph"]) == sum(len(one) ** 2 for one in colours)
    assert (found["label"] == found["prediction"]).mean() > 0.75  # two thirds differ
    for row in range(0, len(found["graph"]), 7):
        graph, i, j = (int(found[name][row]) for name in ("graph", "i", "j"))
        assert found["label"][row] == (colours[graph][i] == colours[graph][j])


def test_data_of_pairs_is_described(call: Callable[..., str]) -> None:
    told = call("data", "colouring_pairs")
    assert "colouring_pairs: pair classification, 2 classes" in told
    assert "185,052" in told
    assert "66.7 %" in told


@pytest.mark.parametrize("name", ["colouring", "colouring_pairs"])
def test_facts_of_colourings_are_measured(name: str, tmp_path: Path) -> None:
    data = load(DataSettings(name=name), tmp_path)
    found = measured(data.facts, data.splits)
    for figure in ("nodes", "edges", "density", "padding"):
        assert getattr(found, figure) == pytest.approx(getattr(TABLE[name], figure), rel=1e-4)
    assert (
        replace(found, **{one: getattr(TABLE[name], one) for one in ("nodes", "edges", "density", "padding")})
        == TABLE[name]
    )
