"""Losses and scores against formulas written out, and independence of how a split is cut into batches."""

import dataclasses
import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from archspec.facts import TABLE
from archspec.syntax.schema import TrainSettings
from archspec.train.kinds import Kind, make
from archspec.train.metrics import batch_loss, class_weights, counts
from archspec.train.tally import Tally

LABELS = st.lists(st.integers(0, 2), min_size=1, max_size=40)


def drawn(labels: list[int], seed: int = 0) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Logits, labels and -log p of every node."""
    y = torch.tensor(labels)
    logits = torch.randn(len(y), 3, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return logits, y, F.cross_entropy(logits, y, reduction="none")


@given(LABELS)
def test_class_weights_are_the_formula(labels):
    naive = [(len(labels) - labels.count(c)) / len(labels) if c in labels else 0.0 for c in range(3)]
    assert class_weights(counts(torch.tensor(labels), 3)).tolist() == naive


@given(LABELS)
def test_weighted_loss_is_torchs_weighted_mean(labels):
    logits, y, nll = drawn(labels)
    naive = [(len(labels) - labels.count(c)) / len(labels) for c in range(3)]
    expected = F.cross_entropy(logits, y, weight=torch.tensor(naive, dtype=torch.float64))
    ours = batch_loss(nll, y, counts(y, 3), weighted=True)
    if len(set(labels)) == 1:  # torch: 0/0
        assert math.isnan(expected)
        assert ours == 0
    else:
        torch.testing.assert_close(ours, expected)


def test_a_batch_of_one_class_gives_a_gradient_of_zero_and_not_of_nan():
    logits = torch.zeros(4, 2, requires_grad=True)
    y = torch.ones(4, dtype=torch.long)
    batch_loss(F.cross_entropy(logits, y, reduction="none"), y, counts(y, 2), weighted=True).backward()
    assert torch.equal(logits.grad, torch.zeros(4, 2))


def test_unweighted_loss_is_the_mean():
    logits, y, nll = drawn([0, 0, 1, 2, 2, 2])
    torch.testing.assert_close(batch_loss(nll, y, counts(y, 3), weighted=False), F.cross_entropy(logits, y))


def kind(task: str, out: int, **settings: object) -> Kind:
    facts = dataclasses.replace(TABLE["cora"], task=task, out=out)
    return make(facts, TrainSettings.model_validate(settings), torch.zeros(0, out))


def tallied(parts: list[tuple[torch.Tensor, torch.Tensor, torch.Tensor]], weighted: bool = True) -> dict:
    tally = Tally(kind("node classification", 3, loss="weighted_cross_entropy" if weighted else "cross_entropy"))
    for logits, y, nll in parts:
        tally.add(logits, nll, y)
    return tally.scores()


@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("size", [1, 7, 20])
def test_scores_do_not_depend_on_the_batches(size, weighted):
    logits, y, nll = drawn([0, 0, 1, 2, 2, 2, 0, 1, 2, 0] * 6)
    whole = tallied([(logits, y, nll)], weighted)
    cut = tallied(list(zip(logits.split(size), y.split(size), nll.split(size), strict=True)), weighted)
    assert cut == pytest.approx(whole, abs=1e-12)


def test_the_mean_of_batches_would_be_something_else():
    """The check above can fail: what benchmarks often report differs."""
    parts = [drawn([0, 0, 0, 0, 1]), drawn([0, 1, 1, 2, 2], seed=1)]
    means = [tallied([one])["acc"] for one in parts]
    assert abs(sum(means) / 2 - tallied(parts)["acc"]) > 0.01


@given(LABELS)
def test_scores_are_recalls_and_their_mean(labels):
    logits, y, nll = drawn(labels)
    scores = tallied([(logits, y, nll)])
    guess = logits.argmax(dim=1).tolist()
    recalls = []
    for label in range(3):
        nodes = [at for at, one in enumerate(labels) if one == label]
        recall = sum(guess[at] == label for at in nodes) / len(nodes) if nodes else None
        assert scores[f"acc_{label}"] == recall
        recalls += [] if recall is None else [recall]
    assert scores["acc"] == pytest.approx(sum(recalls) / len(recalls))


def test_the_loss_of_a_split_is_the_loss_of_one_batch_of_it_all():
    logits, y, nll = drawn([0, 0, 1, 2, 2, 2])
    loss = float(batch_loss(nll, y, counts(y, 3), weighted=True))
    assert tallied([(logits, y, nll)])["loss"] == pytest.approx(loss)
