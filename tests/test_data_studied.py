"""Palindromes and pyramids as data sets: their graphs, labels and facts, and a model that learns them."""

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from archspec.data.infer import facts_of
from archspec.data.load import load
from archspec.data.measure import measured
from archspec.data.plain import palindrome, pyramid, same_label
from archspec.diagnostics import SpecError
from archspec.facts import known
from archspec.syntax.schema import DataSettings
from tests.test_command_line import call

SETS = ("palindrome", "palindrome_pairs", "pyramid", "pyramid_pairs")
PINNED = {
    "palindrome": "abc407047c9b333e",
    "palindrome_pairs": "c2d9085d3adc5f5e",
    "pyramid": "db426bbb7421facd",
    "pyramid_pairs": "0143e472ead35f79",
}


def settings(name: str, size: int | None = None, **given: object) -> DataSettings:
    option = "nodes" if name.startswith("palindrome") else "base"
    return DataSettings(name=name, options={} if size is None else {option: size}, **given)


def digest(name: str, folder: Path, **given: object) -> str:
    found = hashlib.sha256()
    for split in load(settings(name, **given), folder).splits.values():
        for column, values in split.packed.columns.items():
            found.update(column.encode() + values.astype("<i8").tobytes())
    return found.hexdigest()[:16]


@pytest.mark.parametrize("name", SETS)
def test_bits_are_pinned(name: str, tmp_path: Path) -> None:
    assert digest(name, tmp_path) == PINNED[name]
    assert (digest(name, tmp_path, seed=1) != PINNED[name]) == (name == "pyramid")


@pytest.mark.parametrize("size", [None, 2, 5, 24])
@pytest.mark.parametrize("name", SETS)
def test_facts_follow_from_the_option(name: str, size: int | None, tmp_path: Path) -> None:
    data = load(settings(name, size), tmp_path)
    assert known(settings(name, size)) == data.facts
    found = measured(data.facts, data.splits)
    for figure in ("nodes", "edges", "density", "padding"):
        assert getattr(found, figure) == pytest.approx(getattr(data.facts, figure), rel=1e-5)
    same = {one: getattr(found, one) for one in ("nodes", "edges", "density", "padding")}
    assert replace(data.facts, **same) == found
    told = facts_of(name, {part: split.packed for part, split in data.splits.items()}, None)
    assert (told.task, told.out) == (data.facts.task, data.facts.out)


def test_graphs_are_those_of_the_study(tmp_path: Path) -> None:
    for name, graph in (("palindrome", palindrome(300)), ("pyramid", pyramid(24))):
        size = 300 if name == "palindrome" else 24
        for form in (name, f"{name}_pairs"):
            found = load(settings(form, size), tmp_path).val.packed
            count = len(graph.x)
            assert found.source[: graph.edges.shape[1]].tolist() == graph.edges[0].tolist()
            assert np.repeat(np.arange(count), found.degree[:count]).tolist() == graph.edges[1].tolist()
            if found.level == "pair":
                assert found.y.tolist() == same_label(graph.y).reshape(-1).astype(int).tolist()
                assert found.pair.tolist() == [[i, j] for i in range(count) for j in range(count)]
    assert load(settings("palindrome", 4), tmp_path).test.packed.y.tolist() == [0, 1, 1, 0]
    assert load(settings("palindrome", 1200), tmp_path).test.packed.y.max() == 599


def test_on_the_nodes_of_a_pyramid_colours_are_proper_and_one_node_of_each_is_revealed(tmp_path: Path) -> None:
    split = load(settings("pyramid", 6, limit=40), tmp_path).train
    names = set()
    for number in range(len(split)):
        batch = split.batch([number])
        assert (batch.y[batch.N.index] != batch.y[batch.N.target]).all()
        seeds = batch.x.nonzero()[:, 0]
        assert sorted(batch.x[seeds].tolist()) == [1, 2, 3]
        assert (batch.y[seeds] + 1 == batch.x[seeds]).all()
        names.add(tuple(batch.y[:3].tolist()))
    assert len(names) == 6


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"name": "pyramid", "options": {"base": 1}}, r"E0407 .*`base` of `pyramid` cannot be `1` .*from 2 on"),
        ({"name": "pyramid", "options": {"base": "x"}}, r"E0407 .*`base` of `pyramid` cannot be `x`"),
        ({"name": "palindrome", "options": {"nodes": -4}}, "E0407"),
        ({"name": "palindrome", "options": {"base": 4}}, r"E0403 .*no option `base` \(it has `nodes`\)"),
        ({"name": "palindrom"}, r"E0401 unknown data set `palindrom` \(write `palindrome`"),
    ],
)
def test_wrong_options(given: dict[str, object], message: str, tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=message):
        load(DataSettings(**given), tmp_path)
    assert list(tmp_path.iterdir()) == []


SPEC = """\
name: palindrome
data: {name: palindrome_pairs, options: {nodes: 6}}
model:
  sizes: {d: 16}
  input: x = encode(x, d)
  stack: layer
  output: |
    y[i, j in targets] = linear(relu(linear(walk(0..5), d)), out)[i, j] + 0 * linear(x[i], out)
    y
  where: {layer: x = x}
train: {epochs: 15, optimizer: {name: adam, lr: 1e-1}}
"""


def test_a_model_of_walks_learns_the_pairs_of_a_palindrome(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ARCHSPEC_CACHE", str(tmp_path / "cache"))
    Path("p.yaml").write_text(SPEC)
    assert call("train", "p.yaml", "--run-dir", "run") == 0
    [best] = [line for line in capsys.readouterr().out.splitlines() if line.startswith("best validation")]
    assert float(best.split()[2]) > 70  # two thirds of the pairs have different labels
