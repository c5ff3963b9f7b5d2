"""The whole of PATTERN, seed 0: its checksum, the facts table, the floor."""

import dataclasses
import json

import pytest

from archspec.data.floor import CEILINGS, degree_floor
from archspec.data.load import DataSet, load
from archspec.data.measure import measured
from archspec.data.packed import Packed
from archspec.data.split import Split
from archspec.data.store import HEADER
from archspec.facts import TABLE
from archspec.syntax.schema import DataSettings

TRAIN = {
    "train.source": "3d373fd8",
    "train.sizes": "724ca8f0",
    "train.x": "097776f1",
    "train.y": "d5c79b02",
    "train.degree": "44b0619b",
}
"""Checksums of the columns of the training split."""


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def data(directory) -> DataSet:
    return load(DataSettings(name="pattern"), directory)


def test_content_is_pinned(data, directory):
    head = (directory / "pattern-seed0.graphs").read_bytes()[:HEADER]
    assert head.startswith(b"archspec graphs 2 crc32=")
    columns = json.loads(head.partition(b"\n")[2])["columns"]
    assert {name: one["crc32"] for name, one in columns.items() if name.startswith("train")} == TRAIN


def assert_close(found, table) -> None:
    for field in dataclasses.fields(table):
        expected = getattr(table, field.name)
        expected = pytest.approx(expected, rel=1e-4) if isinstance(expected, float) else expected
        assert getattr(found, field.name) == expected, field.name


def test_the_table_of_facts_is_what_is_measured(data):
    found = measured(data.facts, data.splits)
    assert_close(found, TABLE["pattern"])
    with pytest.raises(AssertionError, match="density"):
        assert_close(found, dataclasses.replace(TABLE["pattern"], density=0.4133))


def test_edges_of_every_kind_are_noticed(data):
    import numpy as np

    def split(degree, source) -> Split:
        one = np.zeros(2, dtype=np.uint8)
        return Split(
            Packed(np.array([2], np.int32), one, one, np.array(degree, np.uint8), np.array(source, np.uint8)), True
        )

    kinds = {"one way": split([1, 0], [1]), "loop": split([1, 0], [0]), "repeated": split([2, 2], [1, 1, 0, 0])}
    flags = {}
    for name, odd in kinds.items():
        found = measured(TABLE["pattern"], {"train": odd, "val": odd, "test": odd})
        flags[name] = (found.symmetric, found.self_loops, found.repeated_edges)
    assert flags == {"one way": (False, False, False), "loop": (True, True, False), "repeated": (True, False, True)}


def test_floor_agrees_with_background(data):
    found = degree_floor(data)
    assert found.above
    for acc, *_ in found.scores.values():
        assert acc == pytest.approx(0.852, abs=3 * 0.002)  # background §1: 85.2 ± 0.2 on redraws
        assert acc < CEILINGS["pattern"].acc
    assert found.scores["test"][0] == pytest.approx(0.85668, abs=1e-5)
