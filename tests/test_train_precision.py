"""`train.precision`: products in bfloat16, everything that is summed up or scored in more digits."""

import signal

import pytest
import torch

from archspec.facts import known
from archspec.pipeline import build
from archspec.runtime.batch import Batch
from archspec.runtime.pairs import Pairs
from archspec.syntax.load import load_spec
from archspec.train.checkpoint import read
from archspec.train.engine import Engine
from archspec.train.folder import RunFolder
from archspec.train.interrupt import Interrupted
from archspec.train.tally import Tally
from tests.training import CPU, Stops, differing, resume, start, task

BF16 = {"precision": "bf16"}
SPECS = ("gin", "gatv2", "gps", "path_attention", "position_gating", "edge_bias_transformer", "gated_gcn")
"""Sums by every kind of kernel: sparse, dense, by pairs, attention with a bias and without."""


@pytest.fixture(scope="session")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("graphs")


def two_rings(letters: int, edge_letters: int | None) -> Batch:
    """A ring of 6 nodes and one of 5."""
    places = [(node, (start, size)) for start, size in ((0, 6), (6, 5)) for node in range(start, start + size)]
    near = [sorted((start + (node - start + step) % size) for step in (-1, 1)) for node, (start, size) in places]
    source = torch.tensor(near, dtype=torch.int32).flatten()
    e = None if edge_letters is None else torch.arange(len(source)) % edge_letters
    return Batch(torch.arange(11) % letters, torch.tensor([0, 6, 11]), Pairs(torch.arange(12) * 2, source, True), e=e)


@pytest.mark.parametrize("name", SPECS)
def test_specs_compute_nearly_the_same(name):
    spec = load_spec(name)
    facts = known(spec.settings.data)
    torch.manual_seed(0)
    module = build(spec, facts).module.eval()
    wanted = module(two_rings(facts.letters, facts.edge_letters))
    with torch.autocast("cpu", torch.bfloat16):
        found = module(two_rings(facts.letters, facts.edge_letters))
    found.float().square().sum().backward()
    apart = float((found - wanted).detach().norm() / wanted.detach().norm())
    assert 1e-5 < apart < 0.1  # products are rounded, and nothing worse
    assert all(one.grad.isfinite().all() for one in module.parameters() if one.grad is not None)


def test_weights_gradients_losses_and_scores_have_their_digits(cache):
    engine = Engine(task(cache, **BF16), CPU.device)
    tally = Tally(engine.kind)
    batch = engine.task.data.train.batch(range(5))
    prediction, entries, _ = engine.measure(batch)
    assert (prediction.dtype, entries.dtype) == (torch.float32, torch.float32)
    assert engine.step(batch, 0, tally).loss > 0
    assert tally.table.dtype == torch.float64
    assert {one.dtype for one in engine.module.parameters()} == {torch.float32}
    assert {one.grad.dtype for one in engine.module.parameters()} == {torch.float32}


def test_it_trains_and_resumes_bit_for_bit(cache, tmp_path):
    whole, usual = start(cache, tmp_path / "whole", **BF16), start(cache, tmp_path / "usual")
    losses = [[one["train"]["loss"] for one in made.records()] for made in (whole, usual)]
    assert losses[0] != losses[1]  # it is not float32 after all
    assert losses[0] == pytest.approx(losses[1], rel=0.02)
    with pytest.raises(Interrupted):
        start(cache, tmp_path / "run", Stops(signal.SIGINT, 2, 3), **BF16)
    assert differing(whole, resume(cache, tmp_path / "run", **BF16)) == []
    assert {one.dtype for one in read(RunFolder(tmp_path / "run").state)["module"].values()} == {
        torch.float32,
        torch.int64,
    }
