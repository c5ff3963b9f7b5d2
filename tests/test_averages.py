"""Averages of the training set: what is collected, when, and that a run keeps it."""

import math
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from archspec.equal.batch import packed
from archspec.equal.compare import compare
from archspec.pipeline import build
from archspec.reference import Graph
from archspec.runtime.averages import Average, averages_of, collect
from archspec.syntax.load import parse_spec
from archspec.train import run
from archspec.train.display import Silent
from archspec.train.folder import RunFolder
from tests import training
from tests.checking import spec_text
from tests.compiling import CATEGORIES, NUMBERS, of_layer

LAYER = (
    "s = average(log(1 + degree))",
    "x = tanh(x * log(1 + degree) / s + sum[j in N](x[j] / average(degree)))",
    "x = x + linear(average(hops(0..2)), d) + sum[j in V](average(adjacency) * x[j]) + average(sum[i in V](1))",
)


def graphs() -> list[Graph]:
    """Two graphs: degrees 1, 2, 0 and 0, 1."""
    shapes = ((3, ((0, 1), (1, 0), (1, 2))), (2, ((1, 0),)))
    return [Graph(torch.zeros(nodes, 3).double(), nodes, edges) for nodes, edges in shapes]


def collected(*lines: str) -> dict[str, torch.Tensor]:
    """What is collected from both graphs, one after the other, in the first of the two layers."""
    module = of_layer(*lines).built.module.double()
    collect(module, [packed([one]) for one in graphs()])
    start = "layers.0."
    return {name.removeprefix(start): value for name, value in module.named_buffers() if name.startswith(start)}


def test_every_row_counts_as_much() -> None:
    found = collected(*LAYER)
    degrees = [1, 2, 0, 0, 1]
    assert found["average.mean"].item() == pytest.approx(sum(degrees) / 5)
    assert found["s.mean"].item() == pytest.approx(sum(math.log(1 + one) for one in degrees) / 5)
    # 13 pairs, among them (1, 2) of distance 1 and (0, 2) of distance 2
    torch.testing.assert_close(found["average_2.mean"], torch.tensor([5 / 13, 4 / 13, 1 / 13]).double())
    assert found["average_3.mean"].item() == pytest.approx(4 / 13)
    assert found["average_4.mean"].item() == pytest.approx(2.5)


@pytest.mark.parametrize("training", [True, False], ids=["training", "evaluation"])
@pytest.mark.parametrize("facts", [CATEGORIES, NUMBERS], ids=["categories", "numbers"])
def test_specs_with_averages_are_the_references(facts, training) -> None:
    case = of_layer(*LAYER, facts=facts)
    found = compare(case.built.module, case.built.program, case.graphs("everything"), case.weights, training)
    assert found.ok(), str(found)
    assert not any(one.name.endswith(".mean") for one in found.tensors)


def test_raw_numbers_have_averages_too() -> None:
    spec = parse_spec(spec_text(input="x = linear(x - average(x), d) + linear(pos / average(pos * pos), d)", data=""))
    module = build(spec, NUMBERS).module
    batch = packed(of_layer("x = x", facts=NUMBERS).graphs("everything"))
    assert collect(module.double(), [batch]) == 5
    torch.testing.assert_close(module.input.average.mean, batch.x.mean(0))


def test_an_average_is_unknown_until_it_is_collected() -> None:
    module = of_layer(*LAYER).built.module
    batch = packed([Graph(torch.zeros(3, 3), 3, ((0, 1),))])
    assert module(batch).isnan().all()
    module.train()
    assert collect(module, [batch]) == 2 * (4 + 3)
    assert module.training
    assert module(batch).isfinite().all()
    assert not any(parameter.grad is not None for parameter in module.parameters())


def test_collecting_begins_anew_and_ends() -> None:
    part = Average(2)
    ones = torch.ones(3, 2)
    for factor in (2, 5):
        part.start()
        part(factor * ones)
        part(torch.zeros(1, 2))
        part.finish()
        assert part.mean.tolist() == [factor * 0.75] * 2
    part(9 * ones)
    assert part.mean.tolist() == [3.75] * 2
    part.start()
    part.finish()
    assert part.mean.tolist() == [0, 0]


def test_a_module_without_averages_is_not_run() -> None:
    module = torch.nn.Linear(2, 2)
    assert averages_of(module) == []
    assert collect(module, [None]) == 0  # type: ignore[list-item]


# In training

SPEC = spec_text(layer="x = x + linear(sum[j in N](x[j]) / average(degree), d)")


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("graphs")


class Lines(Silent):
    """Keeps what is said."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, text: str) -> None:
        self.lines.append(text)


def test_a_run_collects_before_the_first_step_and_keeps_it(cache: Path, tmp_path: Path) -> None:
    task = training.task(cache, build(parse_spec(SPEC)).module, epochs=1)
    said = Lines()
    made = run.start(task, tmp_path / "run", training.CPU, said, {})
    split = task.data.train
    kept = load_file(made.weights("last"))
    assert [line for line in said.lines if "average" in line] == ["2 averages of the training set from 22 graphs"]
    for layer in range(2):
        assert kept[f"layers.{layer}.average.mean"].item() == pytest.approx(split.edges / split.nodes)


def test_resuming_keeps_the_averages(cache: Path, tmp_path: Path) -> None:
    task = training.task(cache, build(parse_spec(SPEC)).module, epochs=1)
    made = run.start(task, tmp_path / "run", training.CPU, Silent(), {})
    made.done.unlink()
    again = training.task(cache, build(parse_spec(SPEC)).module, epochs=2)
    said = Lines()
    run.resume(again, RunFolder(made.path), training.CPU, said)
    assert not any("average" in line for line in said.lines)
    assert load_file(made.weights("last"))["layers.0.average.mean"].isfinite()


def test_resuming_a_run_without_a_checkpoint_collects(cache: Path, tmp_path: Path) -> None:
    task = training.task(cache, build(parse_spec(SPEC)).module, epochs=1)
    made = run.start(task, tmp_path / "run", training.CPU, Silent(), {})
    made.done.unlink()
    for one in made.checkpoints.iterdir():
        one.unlink()
    said = Lines()
    again = training.task(cache, build(parse_spec(SPEC)).module, epochs=1)
    run.resume(again, RunFolder(made.path), training.CPU, said)
    assert any("2 averages" in line for line in said.lines)
