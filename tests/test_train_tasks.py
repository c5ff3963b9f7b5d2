"""Every kind of task from training to predictions: at graphs, and at the nodes of one graph with masks."""

import csv
import dataclasses
import signal
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from archspec.data.batching import BatchSize
from archspec.data.divide import divide
from archspec.data.infer import facts_of
from archspec.data.load import DataSet
from archspec.data.packed import PARTS, Packed, joined
from archspec.runtime.batch import Batch
from archspec.syntax.schema import DataSettings, TrainSettings
from archspec.train import run
from archspec.train.engine import Evaluator
from archspec.train.folder import RunFolder
from archspec.train.interrupt import Interrupted
from archspec.train.predictions import write
from archspec.train.report import table
from archspec.train.task import Task
from tests.training import CPU, Stops, untimed


class Linear(nn.Module):
    """A linear map of the letters, for every node or summed over each graph."""

    def __init__(self, out: int, level: str):
        super().__init__()
        self.level = level
        self.encode = nn.Embedding(4, out)

    def forward(self, batch: Batch) -> Tensor:
        x = self.encode(batch.x)
        if self.level == "node":
            return x
        return torch.zeros(batch.graphs, x.shape[1], dtype=x.dtype).index_add_(0, batch.graph, x)


def path(number: int, y: np.ndarray, level: str, mask: np.ndarray | None = None, nodes: int = 0) -> Packed:
    """A directed path; its letters follow from its number."""
    size = nodes or 3 + number % 3
    x = (np.arange(size) * (number + 1) % 4).astype(np.uint8)
    degree = np.r_[0, np.ones(size - 1)].astype(np.uint8)
    source = np.arange(size - 1).astype(np.uint8)
    return Packed(np.array([size], np.int32), x, y, degree, source, mask=mask, level=level)


def letters(number: int) -> np.ndarray:
    """How often each letter occurs in path `number`."""
    return np.bincount(path(number, np.zeros(1), "graph").x, minlength=4)


def numbers(number: int) -> np.ndarray:
    """Two numbers that are linear in the letters, one of them sometimes unknown."""
    y = letters(number) @ np.array([[1.0, 0.5], [2.0, -1.0], [0.0, 3.0], [-1.0, 1.0]])
    return np.where([[False, number % 5 == 0]], np.nan, y).astype(np.float32)


def several(number: int) -> np.ndarray:
    """Three answers, one of them sometimes unknown."""
    y = letters(number)[None, :3] > 1
    return np.where([[number % 4 == 0, False, False]], np.nan, y).astype(np.float32)


def one_class(number: int) -> np.ndarray:
    return np.array([letters(number)[1] % 2], np.uint8)


def set_of(label: Callable[[int], np.ndarray]) -> dict[str, Packed]:
    """Twelve, eight and eight graphs."""
    bounds = {"train": range(12), "val": range(12, 20), "test": range(20, 28)}
    return {split: joined([path(one, label(one), "graph") for one in which]) for split, which in bounds.items()}


def one_graph() -> dict[str, Packed]:
    """Sixty nodes whose class is their letter; half train, the rest validate and test by turns."""
    part = np.arange(60) // 4 % 4
    mask = np.where(part < 2, PARTS["train"], np.where(part == 2, PARTS["val"], PARTS["test"]))
    plain = path(2, np.zeros(60), "node", nodes=60)
    y = (plain.x > 1).astype(np.uint8)
    return {"all": path(2, y, "node", mask[:, None].astype(np.uint8), nodes=60)}


SETS: dict[str, Callable[[], dict[str, Packed]]] = {
    "numbers": lambda: set_of(numbers),
    "several": lambda: set_of(several),
    "classes": lambda: set_of(one_class),
    "nodes": one_graph,
}


def task(name: str, **settings: object) -> Task:
    packed = SETS[name]()
    facts = facts_of(name, packed, None)
    parts = divide(packed, facts, DataSettings(name=name))
    train = TrainSettings.model_validate({"epochs": 6, "optimizer": {"lr": 0.1}, "seed": 3} | settings)
    run.seed(train.seed)
    data = DataSet(name, parts["train"], parts["val"], parts["test"], facts)
    return Task(
        "small", Linear(facts.out, facts.level), data, BatchSize(5, "graphs"), train, "name: small\n", "# source\n"
    )


MAIN = {"numbers": "mae", "several": "average_precision", "classes": "accuracy", "nodes": "accuracy"}


@pytest.mark.parametrize("name", SETS)
def test_training_gets_better_and_says_what_it_is_held_against(tmp_path, name):
    done = run.start(
        task(name, epochs=25, checkpoint_every=25, optimizer={"lr": 0.3}), tmp_path / "run", CPU, Stops(0, -1), {}
    )
    result, score = done.result(), MAIN[name]
    assert result["score"] == score
    first, last = done.records()[0]["train"], done.records()[-1]["train"]
    assert last["loss"] < first["loss"] / 2
    best, floor = result["best"]["test"][score], result["floor"]["test"][score]
    assert best < floor if score == "mae" else best > floor
    text = table(result, done.path)
    assert f"floor: {result['floor']['rule']}" in text
    assert score in text.splitlines()[0]
    assert "does better than this model" not in text


@pytest.mark.parametrize("name", SETS)
def test_the_best_epoch_is_the_best_in_the_right_direction(tmp_path, name):
    done = run.start(task(name), tmp_path / "run", CPU, Stops(0, -1), {})
    values = [record["val"][MAIN[name]] for record in done.records()]
    best = min(values) if name == "numbers" else max(values)
    assert done.result()["best"]["epoch"] == 1 + values.index(best)


@pytest.mark.parametrize("name", SETS)
def test_stopped_in_the_middle_of_an_epoch_it_goes_on_bit_for_bit(tmp_path, name):
    whole = run.start(task(name), tmp_path / "whole", CPU, Stops(0, -1), {})
    with pytest.raises(Interrupted):
        run.start(task(name), tmp_path / "half", CPU, Stops(signal.SIGINT, 2, 1), {})
    again = run.resume(task(name), RunFolder(tmp_path / "half"), CPU, Stops(0, -1))
    assert untimed(again.records()) == untimed(whole.records())
    assert again.weights("best").read_bytes() == whole.weights("best").read_bytes()


@pytest.mark.parametrize("size", [1, 3, 8, "20 nodes"])
@pytest.mark.parametrize("name", SETS)
def test_scores_do_not_depend_on_the_batches(name, size):
    one = task(name)
    found = [
        Evaluator(
            dataclasses.replace(one, train=one.train.model_copy(update={"eval_batch_size": batch})), CPU.device
        ).scores(one.data.test, lambda: None)
        for batch in (100, size)
    ]
    assert found[0] == pytest.approx(found[1], rel=1e-5)


def read(path: Path) -> dict[str, list[float]]:
    with path.open() as file:
        rows = list(csv.DictReader(file))
    return {name: [float(row[name]) for row in rows] for name in rows[0]}


def test_predictions_of_graphs(tmp_path):
    one = task("numbers")
    assert write(Evaluator(one, CPU.device), one.data.test, tmp_path / "a.csv", lambda _graphs: None) == 8
    found = read(tmp_path / "a.csv")
    assert list(found) == ["graph", "label_0", "label_1", "prediction_0", "prediction_1"]
    assert found["graph"] == list(range(8))
    np.testing.assert_array_equal(found["label_1"], one.data.test.labels[:, 1])
    write(Evaluator(task("several"), CPU.device), task("several").data.test, tmp_path / "b.npz", lambda _graphs: None)
    arrays = np.load(tmp_path / "b.npz")
    assert {name: arrays[name].shape for name in arrays} == {
        "graph": (8,),
        **dict.fromkeys(("label", "prediction", "logit", "probability"), (8, 3)),
    }
    np.testing.assert_array_equal(arrays["prediction"], arrays["probability"] > 0.5)


def test_predictions_of_the_nodes_that_count(tmp_path):
    one = task("nodes")
    assert write(Evaluator(one, CPU.device), one.data.test, tmp_path / "a.csv", lambda _graphs: None) == 12
    found = read(tmp_path / "a.csv")
    assert found["node"] == [node for node in range(60) if node // 4 % 4 == 3]
    assert found["graph"] == [0] * 12
    assert found["label"] == one.data.test.labels.tolist()


def test_nodes_that_do_not_count_have_no_say_in_training(tmp_path):
    """Wrong labels of validation and test nodes change no weight."""
    right, wrong = task("nodes"), task("nodes")
    packed = SETS["nodes"]()["all"]
    y = np.where(packed.mask[:, 0] == PARTS["train"], packed.y, 1 - packed.y).astype(np.uint8)
    parts = divide({"all": packed.made({**packed.columns, "y": y})}, wrong.data.facts, DataSettings(name="nodes"))
    wrong = dataclasses.replace(wrong, data=dataclasses.replace(wrong.data, **parts))
    runs = [run.start(one, tmp_path / str(at), CPU, Stops(0, -1), {}) for at, one in enumerate((right, wrong))]
    assert runs[0].records()[-1]["train"] == runs[1].records()[-1]["train"]
    assert runs[0].records()[-1]["val"] != runs[1].records()[-1]["val"]
    weights = [one.module.encode.weight for one in (right, wrong)]
    assert torch.equal(*weights)
