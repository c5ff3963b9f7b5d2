"""The receptive field study: the notebook's table in exact arithmetic, and the arithmetic against fractions."""

import json
from decimal import Decimal
from fractions import Fraction
from itertools import product
from math import lcm, prod

import numpy as np
import pytest
import torch

from archspec.data.plain import STUDY_GRAPHS, palindrome, pyramid, same_label
from archspec.facts.studies import STUDIES
from archspec.ir.nodes import Node
from archspec.ir.types import ALL, Axis, Type, pair
from archspec.structure import exact, memory
from archspec.structure.exact import encoding, encodings, is_prime, moduli, neighbours
from archspec.structure.receptive import Field, receptive
from tests.graphs import SHAPES, Shape, graph
from tests.nodes import SPAN, value
from tests.test_command_line import call

TABLE = {
    10: {1: (5, 0, 0), 2: (25, 0, 0), 4: (118, 1, 72), 9: (417, 0, 0), 19: (417, 0, 0)},
    20: {1: (5, 0, 0), 2: (25, 0, 0), 4: (118, 1, 672), 9: (1107, 1, 540), 19: (5255, 0, 0)},
    30: {1: (5, 0, 0), 2: (25, 0, 0), 4: (118, 1, 1872), 9: (1107, 1, 2280), 19: (12397, 1, 540)},
}
"""Base of the pyramid, R: distinct encodings, ambiguous ones, pairs that have these."""

SHARES = {
    10: ("0.10743801652892562", "0.2502479338842975", "0.5834710743801653", "1", "1"),
    20: ("0.030612244897959184", "0.07714285714285714", "0.2136054421768707", "0.6333333333333333", "1"),
}
"""Shares of pairs covered for R = 1, 2, 4, 9, 19, with the digits that are known of them."""


def study(base: int) -> list[Field]:
    made = pyramid(base)
    return list(receptive(neighbours(made.nodes, made.edges), same_label(made.y), TABLE[base]))


@pytest.mark.parametrize("base", TABLE)
def test_the_table(base: int) -> None:
    found = study(base)
    assert {row.field: (row.distinct, row.ambiguous, row.ambiguous_items) for row in found} == TABLE[base]
    for row, digits in zip(found, SHARES.get(base, ()), strict=False):
        exact_share = Decimal(row.covered) / Decimal(row.items)
        assert round(exact_share, -Decimal(digits).as_tuple().exponent) == Decimal(digits)


def test_an_example_is_given_of_what_is_ambiguous() -> None:
    assert [row.example for row in study(10)] == [None, None, (4 * 55 + 24, 3 * 55 + 19), None, None]


def test_palindrome() -> None:
    made = palindrome(4)
    near = neighbours(made.nodes, made.edges)
    assert made.y.tolist() == [0, 1, 1, 0]
    assert encoding(near, 1, 2, 4) == [0, Fraction(1, 2), 0, Fraction(5, 8), 0]
    for encoded in encodings([near], 4):
        classes = encoded.classes.reshape(4, 4)
        assert (classes == classes[::-1, ::-1]).all()  # mirrored pairs
    assert classes[1, 2] == classes[2, 1] != classes[1, 0]


# the arithmetic


def powers(shape: Shape, last: int) -> list[list[list[Fraction]]]:
    """The powers 0 … last of D⁻¹A as dense matrices of fractions, from the definition alone."""
    nodes, edges = shape
    joined = [[int(i != j and (i, j) in edges) for j in range(nodes)] for i in range(nodes)]
    step = [[Fraction(entry, max(sum(row), 1)) for entry in row] for row in joined]
    found = [[[Fraction(i == j) for j in range(nodes)] for i in range(nodes)]]
    for _ in range(last):
        columns = list(zip(*found[-1], strict=True))
        found.append([[sum(map(prod, zip(row, column, strict=True))) for column in columns] for row in step])
    return found


def shape_of(name: str) -> Shape:
    """An odd graph of the tests, or the graph of a study such as `pyramid 4`."""
    if name in SHAPES:
        return SHAPES[name]
    study, number = name.split()
    made = STUDY_GRAPHS[study](int(number))
    return made.nodes, tuple((target, source) for source, target in made.edges.T.tolist())


def near_of(shape: Shape) -> exact.Neighbours:
    nodes, edges = shape
    return neighbours(nodes, np.array([(source, target) for target, source in edges], dtype=np.int64).reshape(-1, 2).T)


NAMES = (*SHAPES, "pyramid 1", "pyramid 2", "pyramid 5", "palindrome 2", "palindrome 7")


@pytest.mark.parametrize("name", NAMES)
def test_classes_are_those_of_fractions(name: str) -> None:
    shape, last = shape_of(name), 6
    dense = powers(shape, last)
    for encoded in encodings([near_of(shape)], last):
        vectors = [
            tuple(power[i][j] for power in dense[: encoded.field + 1]) for i, j in product(range(shape[0]), repeat=2)
        ]
        assert len(set(zip(vectors, encoded.classes.tolist(), strict=True))) == len(set(vectors)) == encoded.distinct
        assert sorted(set(encoded.classes.tolist())) == list(range(encoded.distinct))
        assert encoded.covered.tolist() == [any(vector) for vector in vectors]


@pytest.mark.parametrize("name", NAMES)
def test_the_encoding_of_a_pair_is_that_of_the_language(name: str) -> None:
    shape, numbers = shape_of(name), (0, 1, 2, 3, 4)
    node = Node("walk", (), Type(pair(ALL), (Axis("", len(numbers)),)), SPAN, (("numbers", numbers),))
    every = product(range(shape[0]), repeat=2)
    ours = [[float(entry) for entry in encoding(near_of(shape), i, j, 4)] for i, j in every]
    torch.testing.assert_close(torch.tensor(ours, dtype=torch.float64), value(node, [graph(shape, letters=2)]))


def test_fewer_primes_would_not_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """With small primes and the very number that the proof asks for nothing changes, with one of them classes merge."""
    near = near_of(shape_of("pyramid 10"))
    expected = [encoded.distinct for encoded in encodings([near], 9)]
    monkeypatch.setattr(exact, "BELOW", 32)  # 2⁵ - 1 is a prime too
    assert [encoded.distinct for encoded in encodings([near], 9)] == expected
    monkeypatch.setattr(exact, "enough", lambda primes, bound: 1)
    assert [encoded.distinct for encoded in encodings([near], 9)] != expected


@pytest.mark.parametrize("last", [0, 1, 8, 9, 19, 40])
def test_primes_are_enough(last: int) -> None:
    near = near_of(shape_of("pyramid 5"))
    primes = moduli([near], last)
    bound = lcm(*map(len, near)) ** last
    assert len(set(primes)) == len(primes)
    assert all(prime < exact.BELOW for prime in primes)
    assert prod(primes) > bound
    assert len(primes) == 1 or prod(primes[:-1]) <= bound
    count = exact.enough(primes, bound)
    assert count == len(primes)


def test_primes() -> None:
    assert [odd for odd in range(3, 50, 2) if is_prime(odd)] == [3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47]
    assert is_prime(exact.BELOW - 1)
    assert not is_prime(46337 * 46337)


# the command


def test_the_table_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("receptive", "pyramid", "--set", "base=20", "--fields", "1..2,4,9") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "pyramid, base 20: 210 nodes, 1,140 directed edges, 44,100 ordered pairs"
    assert [line.split() for line in lines[3:7]] == [
        ["1", "5", "0", "0", "1,350", "0.030612244897959184"],
        ["2", "25", "0", "0", "3,402", "0.077142857142857143"],
        ["4", "118", "1", "672", "9,420", "0.21360544217687075"],
        ["9", "1,107", "1", "540", "27,930", "0.63333333333333333"],
    ]
    assert lines[8] == "R = 4: (4, 24), same label, and (3, 19), different labels: both [0, 0, 0, 0, 1/216]"


@pytest.mark.parametrize("before", [True, False])
def test_tools_get_json(before: bool, capsys: pytest.CaptureFixture[str]) -> None:
    style = ("--format", "json")
    command = ("receptive", "palindrome", "--fields", "2")
    assert call(*((*style, *command) if before else (*command, *style))) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["options"] == {"nodes": 4}
    assert found["fields"] == [
        {
            **{"field": 2, "encodings": 7, "ambiguous_encodings": 1, "ambiguous_pairs": 4},
            **{"covered_pairs": 14, "covered_share": 0.875, "example": [[1, 2], [1, 0]]},
        }
    ]


WRONG = {
    ("pyramyd",): "NAME:1:1: E0401 unknown data set `pyramyd` (write `pyramid`",
    ("x",): "NAME:1:1: E0401 unknown data set `x`",
    ("pyramid", "--set", "bse=3"): "--set:1:1: E0403 data set `pyramid` has no option `bse` (write `--set base=3`)",
    ("pyramid", "--set", "base"): "--set:1:1: E0043 an option is written `OPTION=VALUE` (write `--set base=20`)",
    ("pyramid", "--set", "base="): "--set:1:1: E0043",
    ("pyramid", "--set", ""): "--set:1:1: E0043",
    ("pyramid", "--set", "base=0"): "--set:1:6: E0407 `base` is a whole number from 1 on, found `0`",
    ("pyramid", "--set", "base=-3"): "--set:1:6: E0407",
    ("pyramid", "--set", "base=2.5"): "--set:1:6: E0407",
    ("pyramid", "--set", "base=²"): "--set:1:6: E0407",
    ("pyramid", "--set", "base=" + "9" * 5000): "--set:1:6: E0407",
    ("palindrome", "--set", "nodes=1"): "--set:1:7: E0407 `nodes` is a whole number from 2 on, found `1`",
    ("pyramid", "--set", "base=100000"): "E0006 with `base=100000` there is not enough memory for all pairs of nodes",
    ("pyramid", "--set", "base=999999999999"): "E0006",
    ("pyramid", "--fields", "1,x"): "--fields:1:3: E0044 receptive fields are whole numbers below 10,000 and ranges",
    ("pyramid", "--fields", "4..1"): "--fields:1:1: E0044",
    ("pyramid", "--fields", "1,,2"): "--fields:1:3: E0044",
    ("pyramid", "--fields", ""): "--fields:1:1: E0044",
    ("pyramid", "--fields", "-1"): "--fields:1:1: E0044",
    ("pyramid", "--fields", "10000"): "--fields:1:1: E0044",
    ("pyramid", "--labels", "y"): "E0044 invalid value for '--labels'",
    ("pattern", "--labels", "graph"): "--labels:1:1: E0044 the data set `pattern` has labels per node "
    "(write `--labels node` or `--labels same`)",
    ("pattern", "--set", "limt=3"): "--set:1:1: E0",
    ("pattern", "--limit", "0"): "E0044 invalid value for '--limit'",
}


@pytest.mark.parametrize("arguments", WRONG, ids=lambda arguments: " ".join(arguments)[:40])
def test_mistakes(arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert call("--format", "concise", "receptive", *arguments) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(WRONG[arguments])
    assert err.count("\n") == 1


def test_many_receptive_fields_need_memory_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(memory, "available", lambda: 55**2 * 100)
    assert call("receptive", "pyramid") == 0
    assert call("receptive", "pyramid", "--fields", "999") == 1
    assert "3,025 pairs take" in capsys.readouterr().err


def test_memory_is_asked_of_the_machine_and_its_container(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    free = memory.of_machine()
    assert free > 0
    (tmp_path / "limit").write_text("1000\n")
    (tmp_path / "used").write_text("400\n")
    files = (str(tmp_path / "limit"), str(tmp_path / "used"))
    monkeypatch.setattr(memory, "LIMITS", [files, ("/none", "/none")])
    assert memory.available() == 600
    (tmp_path / "limit").write_text("max\n")
    assert memory.of_containers() == []


@pytest.mark.parametrize("name", STUDIES)
def test_sizes_are_as_the_facts_say(name: str) -> None:
    assert set(STUDIES) == set(STUDY_GRAPHS)
    study = STUDIES[name]
    for number in (study.smallest, study.smallest + 1, study.default):
        assert STUDY_GRAPHS[name](number).nodes == study.nodes(number)
