"""A graph of 100,000 nodes: specs of sparse sets train in little memory, others are refused before any is taken."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from archspec.commands.opening import assemble
from archspec.data.load import DataSet
from archspec.data.packed import Packed
from archspec.data.split import Split
from archspec.diagnostics import SpecError
from archspec.facts import TABLE
from archspec.runtime.batch import Batch
from archspec.runtime.encodings import node_rwse, pair_hops
from archspec.runtime.pairs import Pairs
from archspec.structure import memory
from archspec.syntax.load import load_spec
from archspec.train.display import Silent

NODES = 100_000

STEP = """
import resource, sys
from dataclasses import replace
import torch
from archspec.facts import TABLE
from archspec.pipeline import build
from archspec.syntax.load import load_spec
from tests.test_large_graphs import NODES, sparse

used = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
spec = load_spec(sys.argv[1], ["model.sizes.d=16", "model.stack=2 * layer"])
facts = replace(TABLE["pattern"], nodes=1.0 * NODES, edges=5.0 * NODES, max_nodes=NODES, density=5 / NODES, padding=1)
module, batch = build(spec, facts).module, sparse().batch([0])
before = used()
loss = torch.nn.functional.cross_entropy(module(batch), batch.y)
loss.backward()
assert all(bool(one.grad.isfinite().all()) for one in module.parameters() if one.grad is not None)
print(used() - before)
"""
"""What a step takes in megabytes; a bit for every pair would be 1,250."""


def sparse(nodes: int = NODES) -> Split:
    """One graph of about five neighbours a node, drawn."""
    generator = np.random.default_rng(0)
    degree = generator.integers(1, 10, nodes).astype(np.uint8)
    target = np.repeat(np.arange(nodes), degree)
    source = generator.integers(nodes, size=len(target))
    source = source[np.lexsort((source, target))].astype(np.uint32)
    x, y = (generator.integers(few, size=nodes).astype(np.uint8) for few in (3, 2))
    return Split(Packed(np.array([nodes], np.int32), x, y, degree, source), False)


@pytest.mark.parametrize("name", ["gin", "gat"])
def test_a_step_on_a_large_sparse_graph_takes_little_memory(name):
    root = Path(__file__).parent.parent
    done = subprocess.run([sys.executable, "-c", STEP, name], cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < 600


@pytest.fixture
def gigabyte(monkeypatch) -> None:
    """A machine with one gigabyte left, whatever it has."""
    for module in ("archspec.structure.memory", "archspec.train.pairs"):
        monkeypatch.setattr(f"{module}.available", lambda: 10**9)


def large(nodes: int = NODES) -> Batch:
    """The graph as a batch, without edges."""
    ptr = torch.zeros(nodes + 1, dtype=torch.int64)
    none = Pairs(ptr, torch.zeros(0, dtype=torch.int32), True)
    return Batch(torch.zeros(nodes, dtype=torch.int64), torch.tensor([0, nodes]), none)


@pytest.mark.usefixtures("gigabyte")
@pytest.mark.parametrize(
    "ask",
    [
        lambda batch: batch.pairs("V").source,
        lambda batch: batch.pairs("V").target,
        lambda batch: batch.pairs("V - i"),
        lambda batch: pair_hops(batch, (0, 1), torch.float32),
        lambda batch: pair_hops(batch, (0, 1), torch.float32, batch.N),
        lambda batch: node_rwse(batch, (1, 2), torch.float32),
    ],
    ids=["source", "target", "V - i", "hops", "hops on N", "rwse"],
)
def test_what_needs_all_pairs_is_refused_before_it_is_begun(ask):
    with pytest.raises(MemoryError, match=r"take at least 80\.0 GB, 1\.0 GB are free"):
        ask(large())
    ask(large(200))  # small enough


def test_what_fits_is_taken_without_asking(monkeypatch):
    monkeypatch.setattr(memory, "available", lambda: 0)
    memory.need(memory.LARGE, "all of it")
    with pytest.raises(MemoryError):
        memory.need(memory.LARGE + 1, "all of it")


def assembled(name: str, monkeypatch, *overrides: str) -> str:
    """The message of a spec that is to train on the large graph."""
    split = sparse()
    data = DataSet("pattern", split, split, split, TABLE["pattern"])
    monkeypatch.setattr("archspec.commands.opening.load", lambda *_: data)
    with pytest.raises(SpecError) as caught:
        assemble(load_spec(name, overrides), None, Silent())
    assert caught.value.diagnostics[0].span is not None
    return str(caught.value)


@pytest.mark.usefixtures("gigabyte")
@pytest.mark.parametrize(
    ("name", "what"),
    [("content_attention", "`V`"), ("position_attention", "`hops`"), ("path_attention", "`hops`")],
)
def test_a_spec_of_all_pairs_is_refused_with_what_it_would_take(name, what, monkeypatch):
    message = assembled(name, monkeypatch)
    assert f"E0006 all pairs of nodes, which {what} needs, do not fit into memory" in message
    assert "graphs have up to 100,000 nodes" in message
    assert "reach(k)" in message


@pytest.mark.usefixtures("gigabyte")
def test_a_spec_of_sparse_sets_is_not(monkeypatch):
    split = sparse()
    data = DataSet("pattern", split, split, split, TABLE["pattern"])
    monkeypatch.setattr("archspec.commands.opening.load", lambda *_: data)
    assert assemble(load_spec("gat", ["model.sizes.d=16"]), None, Silent()).data is data
