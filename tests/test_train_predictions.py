"""Predictions as files: what stands in them, and which files are refused."""

import csv

import numpy as np
import pytest
import torch

from archspec.diagnostics import SpecError
from archspec.train.engine import Evaluator
from archspec.train.predictions import check, write
from tests.training import CPU, GRAPHS, task


@pytest.fixture(scope="module")
def evaluator(tmp_path_factory) -> Evaluator:
    return Evaluator(task(tmp_path_factory.mktemp("graphs"), eval_batch_size=4), CPU.device)


def read_csv(path) -> dict[str, np.ndarray]:
    with path.open() as file:
        rows = list(csv.DictReader(file))
    flat = {name: np.array([float(row[name]) for row in rows]) for name in rows[0]}
    pairs = {name: np.stack([flat.pop(f"{name}_0"), flat.pop(f"{name}_1")], 1) for name in ("logit", "probability")}
    return flat | pairs


READERS = {
    ".csv": read_csv,
    ".npz": lambda path: dict(np.load(path)),
    ".pt": lambda path: torch.load(path, weights_only=True),
}


@pytest.mark.parametrize("ending", READERS)
def test_columns(evaluator, tmp_path, ending):
    path = tmp_path / f"out{ending}"
    split = evaluator.task.data.test
    told = []
    assert write(evaluator, split, path, told.append) == split.nodes
    assert told[-1] == GRAPHS
    found = {name: np.asarray(column) for name, column in READERS[ending](path).items()}
    with torch.no_grad():
        logits = evaluator.module(split.batch(range(GRAPHS))).numpy()
    np.testing.assert_allclose(found["logit"], logits, atol=1e-5)
    np.testing.assert_allclose(found["probability"].sum(axis=1), 1, atol=1e-6)
    np.testing.assert_array_equal(found["prediction"], found["logit"].argmax(axis=1))
    np.testing.assert_array_equal(found["label"], split.packed.y)
    sizes = split.packed.sizes
    np.testing.assert_array_equal(found["graph"], np.repeat(np.arange(GRAPHS), sizes))
    np.testing.assert_array_equal(found["node"], np.concatenate([np.arange(size) for size in sizes]))
    assert [one.name for one in tmp_path.iterdir()] == [path.name]


def test_csv_keeps_every_bit(evaluator, tmp_path):
    write(evaluator, evaluator.task.data.val, tmp_path / "a.csv", print)
    write(evaluator, evaluator.task.data.val, tmp_path / "a.npz", print)
    np.testing.assert_array_equal(
        read_csv(tmp_path / "a.csv")["logit"].astype(np.float32), np.load(tmp_path / "a.npz")["logit"]
    )


def test_refusals(tmp_path):
    there = tmp_path / "there.csv"
    there.write_text("mine")
    for path, words in (
        (tmp_path / "x.xlsx", "unknown kind of file `.xlsx`"),
        (tmp_path / "x", "unknown kind of file `x`"),
        (tmp_path / "no" / "x.csv", "there is no folder"),
        (there, "a file of this name already"),
    ):
        with pytest.raises(SpecError, match=words) as caught:
            check(path, force=False)
        assert caught.value.diagnostics[0].help
        assert caught.value.diagnostics[0].path == str(path)
    assert check(there, force=True) == there


def test_an_interrupted_file_does_not_appear(evaluator, tmp_path):
    class Stop(Exception):
        pass

    def stop(_graphs: int) -> None:
        raise Stop

    with pytest.raises(Stop):
        write(evaluator, evaluator.task.data.test, tmp_path / "out.csv", stop)
    assert list(tmp_path.iterdir()) == []
