"""Losses and scores of every kind of task against formulas written out, over whole splits however they are cut."""

import dataclasses
import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from archspec.diagnostics import SpecError
from archspec.facts import TABLE, with_defaults
from archspec.facts.tasks import KINDS, SCORES, score
from archspec.syntax.load import load_spec
from archspec.syntax.schema import TrainSettings
from archspec.train.kinds import Kind, make
from archspec.train.loop import monitored
from archspec.train.ranking import average_precision, over_labels, roc_auc
from archspec.train.tally import Tally

NAN = math.nan


def kind(task: str, out: int, y: torch.Tensor | None = None, **settings: object) -> Kind:
    facts = dataclasses.replace(TABLE["cora"], task=task, out=out)
    return make(facts, TrainSettings.model_validate(settings), torch.zeros(1, out) if y is None else y)


def tallied(one: Kind, prediction: torch.Tensor, y: torch.Tensor, size: int) -> dict:
    tally = Tally(one)
    for some, labels in zip(prediction.split(size), y.split(size), strict=True):
        tally.add(some, one.entries(some, labels), labels)
    return tally.scores()


def drawn(rows: int, out: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(rows, out, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


# Rankings


@given(st.lists(st.tuples(st.integers(0, 6), st.booleans()), min_size=1, max_size=30))
def test_roc_auc_counts_pairs_and_average_precision_thresholds(rows):
    values = torch.tensor([value for value, _ in rows], dtype=torch.float64)
    truth = torch.tensor([float(true) for _, true in rows], dtype=torch.float64)
    yes, no = values[truth == 1], values[truth == 0]
    pairs = [1.0 if a > b else 0.5 if a == b else 0.0 for a in yes for b in no]
    assert roc_auc(values, truth) == (pytest.approx(sum(pairs) / len(pairs)) if pairs else None)
    area = recall = 0.0
    for level in sorted(set(values.tolist()), reverse=True):
        found = truth[values >= level]
        if len(yes):
            area += (float(found.sum()) / len(yes) - recall) * float(found.mean())
            recall = float(found.sum()) / len(yes)
    assert average_precision(values, truth) == (pytest.approx(area) if len(yes) else None)


def test_rankings_are_those_of_scikit_learn():
    values = torch.tensor([0.1, 0.4, 0.35, 0.8, 0.4, 0.4, 0.9, 0.1, -2.0, 0.35])
    truth = torch.tensor([0.0, 0, 1, 1, 1, 0, 1, 0, 1, 0])
    assert roc_auc(values, truth) == pytest.approx(0.66)
    assert average_precision(values, truth) == pytest.approx(0.7342857142857142)


def test_large_logits_are_told_apart():
    """Probabilities in float32 would all be 1."""
    assert roc_auc(torch.tensor([30.0, 31.0]), torch.tensor([0.0, 1.0])) == 1.0


def test_labels_of_one_kind_are_left_out_of_the_mean_and_unknown_rows_of_their_label():
    values = torch.tensor([[1.0, 0.0, 5.0], [2.0, 1.0, 4.0], [3.0, 2.0, 3.0]])
    truth = torch.tensor([[0.0, 1.0, 1.0], [1.0, 1.0, NAN], [NAN, 1.0, 0.0]])
    assert over_labels(values, truth) == {"roc_auc": 1.0, "average_precision": 1.0}
    assert over_labels(values[:, 1:2], truth[:, 1:2]) == {"roc_auc": None, "average_precision": None}


# Kinds


@pytest.mark.parametrize("size", [1, 7, 60])
def test_scores_of_classes_and_their_ranking(size):
    one = kind("node classification", 2, monitor="roc_auc")
    logits, y = drawn(60, 2), torch.arange(60) % 3 // 2
    found = tallied(one, logits, y, size)
    assert found["accuracy"] == pytest.approx(float((logits.argmax(1) == y).double().mean()))
    assert found["loss"] == pytest.approx(float(F.cross_entropy(logits, y)))
    assert found["roc_auc"] == pytest.approx(roc_auc(logits.softmax(1)[:, 1], y))
    assert list(found) == ["loss", "accuracy", "acc", "acc_0", "acc_1", "roc_auc", "average_precision"]


def test_rankings_are_left_alone_where_nobody_asks():
    one = kind("node classification", 2)
    assert not one.ranked
    assert "roc_auc" not in tallied(one, drawn(9, 2), torch.arange(9) % 2, 9)


@pytest.mark.parametrize("size", [1, 7, 40])
def test_scores_of_several_labels(size):
    one = kind("graph multi-label", 3)
    logits, y = drawn(40, 3), (drawn(40, 3, seed=1) > 0.3).double()
    y[::4, 1] = NAN
    known = ~y.isnan()
    found = tallied(one, logits, y, size)
    assert found["loss"] == pytest.approx(float(F.binary_cross_entropy_with_logits(logits[known], y[known])))
    assert found["average_precision"] == pytest.approx(
        np.mean([average_precision(logits[known[:, k], k], y[known[:, k], k]) for k in range(3)])
    )
    assert found["roc_auc"] is not None
    entries = one.entries(logits, y)
    assert float(one.loss(entries, y)) == pytest.approx(found["loss"])


@pytest.mark.parametrize("loss", ["l1", "mse"])
@pytest.mark.parametrize("size", [1, 7, 40])
def test_scores_of_numbers(size, loss):
    y = 1e5 + drawn(40, 2, seed=1)  # far from 0, where sums of squares lose digits
    y[3, 0] = NAN
    one = kind("graph regression", 2, y, loss=loss)
    prediction = y.nan_to_num(1e5) + drawn(40, 2)
    found = tallied(one, prediction, y, size)
    known = ~y.isnan()
    error = (prediction - y)[known]
    assert found["mae"] == pytest.approx(float(error.abs().mean()), rel=1e-12)
    assert found["rmse"] == pytest.approx(float((error**2).mean().sqrt()), rel=1e-12)
    r2 = []
    for k in range(2):
        true, told = y[known[:, k], k], prediction[known[:, k], k]
        r2.append(1 - float(((told - true) ** 2).sum() / ((true - true.mean()) ** 2).sum()))
    assert found["r2"] == pytest.approx(np.mean(r2), rel=1e-9)
    assert found["loss"] == pytest.approx(found["mae"] if loss == "l1" else found["rmse"] ** 2)


@pytest.mark.parametrize(("task", "out"), [("graph multi-label", 3), ("graph regression", 3)])
def test_unknown_labels_have_no_gradient_and_make_none_nan(task, out):
    one = kind(task, out)
    prediction = drawn(4, out).requires_grad_()
    y = torch.zeros(4, out, dtype=torch.float64)
    y[1] = NAN
    one.loss(one.entries(prediction, y), y).backward()
    assert prediction.grad.isfinite().all()
    assert (prediction.grad[1] == 0).all()
    assert (prediction.grad[0] != 0).all()
    nothing = torch.full_like(y, NAN)
    assert one.loss(one.entries(prediction, nothing), nothing) == 0
    assert tallied(one, prediction.detach(), nothing, 4)["loss"] is None


def test_a_tally_goes_on_from_its_state():
    one = kind("graph multi-label", 2)
    logits, y = drawn(30, 2), (drawn(30, 2, seed=1) > 0).double()
    whole, half = Tally(one), Tally(one)
    for part in range(0, 30, 10):
        rows = slice(part, part + 10)
        whole.add(logits[rows], one.entries(logits[rows], y[rows]), y[rows])
        if part == 10:
            again = Tally(one)
            again.restore(half.state())
            half = again
        half.add(logits[rows], one.entries(logits[rows], y[rows]), y[rows])
    assert half.scores() == whole.scores()


# Which way is better, defaults and what does not fit


def test_every_score_has_a_direction():
    assert {name for kind in KINDS.values() for name in kind.scores} | {"loss"} == set(SCORES)
    smaller = {name for name in SCORES if not score(name).larger_is_better}
    assert smaller == {"loss", "mae", "rmse"}


@pytest.mark.parametrize("name", SCORES)
def test_the_better_score_is_monitored_as_more(name):
    better, worse = (0.9, 0.1) if score(name).larger_is_better else (0.1, 0.9)
    assert monitored({name: better}, name) > monitored({name: worse}, name) > monitored({name: None}, name)


@pytest.mark.parametrize(
    ("data", "loss", "monitor"),
    [
        ("pattern", "weighted_cross_entropy", "acc"),
        ("zinc", "l1", "mae"),
        ("mutag", "cross_entropy", "accuracy"),
        ("minesweeper", "cross_entropy", "roc_auc"),
    ],
)
def test_a_data_set_has_a_loss_and_a_score(data, loss, monitor):
    spec = with_defaults(load_spec("gin", (f"data.name={data}", "train.loss=null", "train.monitor=null")), TABLE[data])
    assert (spec.settings.train.loss, spec.settings.train.monitor) == (loss, monitor)
    assert f"loss: {loss}\n" in spec.text
    assert f"monitor: {monitor}\n" in spec.text


def test_a_choice_of_ones_own_stays():
    spec = with_defaults(load_spec("gin", ("train.loss=cross_entropy", "train.monitor=loss")), TABLE["pattern"])
    assert (spec.settings.train.loss, spec.settings.train.monitor) == ("cross_entropy", "loss")


@pytest.mark.parametrize(
    ("setting", "data", "message"),
    [
        (
            "train.loss=l1",
            "pattern",
            "E0617 `l1` does not fit a data set for node classification .write `cross_entropy`",
        ),
        ("train.loss=cross_entropy", "zinc", "E0617 .* graph regression .write `l1` or `mse`"),
        ("train.monitor=mae", "cora", "E0618 .* .write `accuracy` or `acc` or `loss`"),
        ("train.monitor=roc_auc", "cora", "E0618"),
        ("train.monitor=acc", "zinc", "E0618 .* .write `mae` or `rmse` or `r2` or `loss`"),
    ],
)
def test_what_does_not_fit_the_task_is_told_at_its_place(setting, data, message):
    with pytest.raises(SpecError, match=message) as caught:
        with_defaults(
            load_spec("gin", (f"data.name={data}", "train.loss=null", "train.monitor=null", setting)), TABLE[data]
        )
    assert caught.value.diagnostics[0].span is not None


# Floors


def test_the_best_constant_is_that_of_the_loss():
    y = torch.tensor([[0.0], [1.0], [9.0]])
    assert kind("graph regression", 1, y, loss="l1").constant(y)[1].tolist() == [1.0]
    assert kind("graph regression", 1, y, loss="mse").constant(y)[1].tolist() == [pytest.approx(10 / 3)]
    words, logits = kind("node classification", 3).constant(torch.tensor([2, 2, 0]))
    assert (words, int(logits.argmax())) == ("always class 2, the most frequent", 2)
    labels = torch.tensor([[1.0, NAN], [0.0, 1.0], [1.0, 1.0], [1.0, 1.0]])
    assert kind("graph multi-label", 2).constant(labels)[1].sigmoid().tolist() == pytest.approx([0.75, 1.0], abs=1e-5)
