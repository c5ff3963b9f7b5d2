"""Structure computed once: batches hold bit for bit what they would compute, from files that are checked and mended."""

import errno
from dataclasses import replace

import numpy as np
import pytest
import torch

from archspec.commands.opening import assemble
from archspec.data import structure
from archspec.data.load import load
from archspec.data.packed import Packed, joined, smallest, sort_edges
from archspec.data.split import Split
from archspec.data.structure import Demand, Structured, structured
from archspec.runtime import encodings
from archspec.runtime.batch import Batch
from archspec.syntax.load import load_spec
from archspec.syntax.schema import DataSettings
from archspec.train import run
from archspec.train.display import Silent
from archspec.train.structure import prepared
from tests.graphs import SHAPES
from tests.training import CPU

EVERYTHING = (
    Demand("distance"),
    Demand("adjacency"),
    Demand("hops", (0, 1, 2, 400)),
    Demand("reach", (2,)),
    Demand("reach", (500,)),
    Demand("walk", (0, 1, 2, 3)),
    Demand("rwse", (1, 2, 3, 4)),
    Demand("laplacian_pe", (3,)),
)
TYPE = {32: torch.float32, 64: torch.float64}


def odd() -> Split:
    """The odd graphs."""
    return Split(joined([of_shape(*shape) for shape in SHAPES.values()]), False)


def of_shape(nodes: int, edges: tuple[tuple[int, int], ...]) -> Packed:
    target, source = np.array(edges, np.int64).reshape(-1, 2).T
    _, degree, source = sort_edges(np.stack([source, target]), nodes)
    zeros = np.zeros(nodes, np.uint8)
    return Packed(np.array([nodes], np.int32), zeros, zeros, smallest(degree), source.astype(np.uint16))


def asked(batch: Batch, demand: Demand, dtype: torch.dtype) -> torch.Tensor:
    """What emitted code gets."""
    numbers = demand.numbers
    if demand.op == "reach":
        pairs = batch.pairs("reach", numbers[0])
        return torch.cat([pairs.ptr, pairs.source, pairs.target])
    if demand.op == "laplacian_pe":
        return encodings.node_laplacian_pe(batch, numbers[0], False, dtype)
    if demand.op == "rwse":
        return encodings.node_rwse(batch, numbers, dtype)
    function = getattr(encodings, f"pair_{demand.op}")
    return function(batch, *([numbers] if numbers else []), dtype)


def quiet(split: Split, folder, demands=EVERYTHING, precision=32, said=None) -> Split:
    """The split with its structure kept in a folder."""
    return structured(split, demands, precision, folder, (said if said is not None else []).append, lambda *_: None)


@pytest.mark.parametrize("precision", [32, 64])
def test_batches_hold_what_they_would_compute(precision, tmp_path, monkeypatch):
    monkeypatch.setattr(structure, "PAIRS", 20)  # several chunks
    bare = odd()
    kept = quiet(bare, tmp_path, precision=precision)
    assert isinstance(kept, Structured)
    assert kept.kept[Demand("distance")].dtype == np.uint8
    draw = np.random.default_rng(0)
    for order in (np.arange(len(bare)), draw.permutation(len(bare)), [3], [0, 0, 2, 5, 5]):
        ours, plain = kept.batch(order), bare.batch(order)
        assert ("edges" in ours.cache) is False
        for demand in EVERYTHING:
            found, expected = (asked(one, demand, TYPE[precision]) for one in (ours, plain))
            assert found.dtype == expected.dtype
            assert torch.equal(found, expected), demand
            for pairs in ("N", "V - i"):
                if demand.op in ("distance", "hops", "walk"):
                    narrow = [
                        getattr(encodings, f"pair_{demand.op}")(
                            one, *([demand.numbers] if demand.numbers else []), TYPE[precision], one.pairs(pairs)
                        )
                        for one in (ours, plain)
                    ]
                    assert torch.equal(*narrow)
        assert "edges" not in ours.cache  # nothing was computed


def test_distances_of_more_than_a_byte(tmp_path):
    path = of_shape(259, tuple((node + 1, node) for node in range(258)))
    bare = Split(joined([path, of_shape(*SHAPES["self loops"])]), False)
    demands = (Demand("hops", (0, 1, 255, 258, 400)), Demand("reach", (256,)), Demand("distance"))
    kept = quiet(bare, tmp_path, demands)
    assert kept.kept[Demand("distance")].dtype == np.int16
    ours, plain = kept.batch([1, 0]), bare.batch([1, 0])
    for demand in demands:
        assert torch.equal(asked(ours, demand, torch.float32), asked(plain, demand, torch.float32))
    assert ours.cache["distance", torch.float32].max() == torch.inf
    assert int(ours.cache["hops", demands[0].numbers, torch.float32][:, 3].sum()) == 1  # one pair is 258 apart


def test_sets_are_found_in_one_another_as_before(tmp_path):
    bare = odd()
    ours, plain = (one.batch(np.arange(len(bare))) for one in (quiet(bare, tmp_path), bare))
    for outer, inner in ((("V", 0), ("reach", 2)), (("reach", 500), ("reach", 2)), (("reach", 2), ("N", 0))):
        found, expected = (one.pairs(*outer).find(one.pairs(*inner)) for one in (ours, plain))
        assert torch.equal(found, expected)


def files(folder):
    return sorted((folder / "structure").iterdir())


def test_files_are_computed_once_and_mended(tmp_path, monkeypatch):
    bare, said = odd(), []
    first = quiet(bare, tmp_path, said=said)
    assert len(said) == len(files(tmp_path)) == 4
    assert all(line.startswith("computing ") for line in said)
    monkeypatch.setattr(structure, "computed", lambda *_: pytest.fail("computed again"))
    again = quiet(bare, tmp_path, said=said)
    assert len(said) == 4
    assert all(np.array_equal(array, again.kept[demand]) for demand, array in first.kept.items())
    monkeypatch.undo()
    before, arrays = [path.read_bytes() for path in files(tmp_path)], {one: a.copy() for one, a in first.kept.items()}
    for number, damage in enumerate((lambda data: data[:-1], lambda data: data[:-1] + b"?", lambda data: b"")):
        path = files(tmp_path)[number]
        path.write_bytes(damage(path.read_bytes()))
    said.clear()
    mended = quiet(bare, tmp_path, said=said)
    assert len([line for line in said if line.endswith("; computing it again")]) == 3
    assert [path.read_bytes() for path in files(tmp_path)] == before
    assert all(np.array_equal(array, mended.kept[demand]) for demand, array in arrays.items())


def test_other_graphs_and_other_numbers_are_other_files(tmp_path):
    bare = odd()
    quiet(bare, tmp_path, (Demand("rwse", (1, 2)),))
    quiet(bare, tmp_path, (Demand("rwse", (1, 2)),), precision=64)
    quiet(bare, tmp_path, (Demand("rwse", (1, 3)),))
    quiet(Split(bare.packed.first(5), False), tmp_path, (Demand("rwse", (1, 2)),))
    turned = replace(bare.packed, source=bare.packed.source[::-1].copy())
    assert structure.digest_of(Split(turned, False)) != structure.digest_of(bare)
    assert len(files(tmp_path)) == 4
    quiet(bare, tmp_path, (Demand("rwse", tuple(range(60))),))  # a short name
    assert max(len(path.name) for path in files(tmp_path)) < 120


def test_what_has_no_room_is_left_to_each_batch(tmp_path, monkeypatch):
    bare, said = odd(), []
    monkeypatch.setattr(structure, "available", lambda: 2_000)
    kept = quiet(bare, tmp_path, said=said)
    told = [line.partition(" takes ")[0] for line in said if line.endswith("not kept")]
    assert told == ["walk(0, 1, 2, 3)"]
    assert set(kept.kept) == {one.kept for one in EVERYTHING} - {Demand("walk", (0, 1, 2, 3))}
    plain, ours = bare.batch([1, 12]), kept.batch([1, 12])
    for demand in EVERYTHING:
        assert torch.equal(asked(ours, demand, torch.float32), asked(plain, demand, torch.float32))


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path, monkeypatch):
    (tmp_path / "structure").write_text("a file in the place of the folder")
    said = []
    assert not isinstance(quiet(odd(), tmp_path, said=said), Structured)
    assert sum("cannot be kept" in line and "computed for every batch" in line for line in said) == 4

    def full(*_):
        yield np.zeros(3, np.uint8)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(structure, "computed", full)
    other = tmp_path / "other"
    assert not isinstance(quiet(odd(), other, said=said), Structured)
    assert files(other) == []


def test_interrupted_work_leaves_nothing(tmp_path, monkeypatch):
    def stops(*_):
        yield np.zeros(3, np.uint8)
        raise KeyboardInterrupt

    monkeypatch.setattr(structure, "computed", stops)
    with pytest.raises(KeyboardInterrupt):
        quiet(odd(), tmp_path)
    assert files(tmp_path) == []


def test_threads_are_given_back_and_change_nothing(tmp_path):
    before, bare = torch.get_num_threads(), odd()
    one = quiet(bare, tmp_path / "one")
    torch.set_num_threads(3)
    try:
        three = quiet(bare, tmp_path / "three")
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)
    for demand, array in one.kept.items():
        assert np.array_equal(array, three.kept[demand])


def test_a_split_of_one_graph_or_without_demands_stays(tmp_path):
    bare = load(DataSettings(name="pattern", limit=2), tmp_path).train
    assert quiet(bare, tmp_path, ()) is bare
    assert not (tmp_path / "structure").exists()


SMALL = ("data.limit=6", "data.batch_size=4", "train.epochs=1", "model.sizes.d=8", "model.sizes.heads=2")


@pytest.mark.parametrize(
    ("name", "kept"),
    [("position_attention", 1), ("position_gating_walk", 2), ("path_attention", 1), ("position_gating", 0)],
)
def test_training_gives_the_same_bits(name, kept, tmp_path):
    spec = load_spec(name, [*SMALL, "model.stack=layer"])
    results = []
    for number, ready in enumerate((lambda task: task, lambda task: prepared(task, tmp_path, Silent()))):
        task = ready(assemble(spec, tmp_path, Silent()))
        if number and kept:
            assert [type(split) for split in task.data.splits.values()] == [Structured] * 3
            assert len(task.data.train.kept) == kept
        folder = run.start(task, tmp_path / f"run{number}", CPU, Silent(), {})
        results.append([{k: v for k, v in one.items() if "seconds" not in k} for one in folder.records()])
    assert results[0] == results[1]
