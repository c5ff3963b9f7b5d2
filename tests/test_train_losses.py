"""Losses and their options against torch's own classes, on batches and on whole splits; names they have in torch."""

import inspect
import re
from dataclasses import replace
from typing import get_args

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from archspec.diagnostics import SpecError
from archspec.facts import with_defaults
from archspec.facts.table import TABLE
from archspec.facts.tasks import KINDS, LOSSES, SCORES
from archspec.syntax import spellings
from archspec.syntax.load import load_spec, parse_spec
from archspec.syntax.schema import TrainSettings
from archspec.train import kinds
from archspec.train.tally import Tally
from tests.test_train_commands import SPEC

FACTS = {
    "classification": replace(TABLE["pattern"], out=3),
    "multi-label": replace(TABLE["zinc"], task="graph multi-label", out=3, benchmark=None),
    "regression": replace(TABLE["zinc"], out=3),
}

CASES = [
    ("classification", "cross_entropy", {}, nn.CrossEntropyLoss()),
    ("classification", "cross_entropy", {"label_smoothing": 0.2}, nn.CrossEntropyLoss(label_smoothing=0.2)),
    (
        "classification",
        "cross_entropy",
        {"weight": [1.0, 0.0, 5.0]},
        nn.CrossEntropyLoss(weight=torch.tensor([1.0, 0.0, 5.0]).double()),
    ),
    ("classification", "multi_margin", {"p": 2, "margin": 0.5}, nn.MultiMarginLoss(p=2, margin=0.5)),
    ("multi-label", "bce_with_logits", {}, nn.BCEWithLogitsLoss()),
    (
        "multi-label",
        "bce_with_logits",
        {"pos_weight": [1.0, 2.0, 0.5]},
        nn.BCEWithLogitsLoss(pos_weight=torch.tensor([1.0, 2.0, 0.5]).double()),
    ),
    ("regression", "l1", {}, nn.L1Loss()),
    ("regression", "mse", {}, nn.MSELoss()),
    ("regression", "smooth_l1", {"beta": 0.3}, nn.SmoothL1Loss(beta=0.3)),
    ("regression", "huber", {"delta": 0.3}, nn.HuberLoss(delta=0.3)),
]


def rows(kind: str, number: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Predictions and labels."""
    draw = torch.Generator().manual_seed(number)
    prediction = torch.randn(20, 3, generator=draw, dtype=torch.float64, requires_grad=True)
    if kind == "classification":
        return prediction, torch.randint(0, 3, (20,), generator=draw)
    y = torch.randn(20, 3, generator=draw, dtype=torch.float64)
    return prediction, y if kind == "regression" else (y > 0).double()


@pytest.mark.parametrize(("kind", "loss", "options", "theirs"), CASES)
def test_the_loss_is_torchs(kind, loss, options, theirs):
    settings = TrainSettings.model_validate({"loss": loss, "loss_options": options})
    ours, tally = kinds.make(FACTS[kind], settings, rows(kind, 0)[1]), None
    tally, seen = Tally(ours), []
    for number in (1, 2):
        prediction, y = rows(kind, number)
        entries = ours.entries(prediction, y)
        found = torch.autograd.grad(ours.loss(entries, y), prediction, retain_graph=True)[0]
        torch.testing.assert_close(ours.loss(entries, y), theirs(prediction, y))
        torch.testing.assert_close(found, torch.autograd.grad(theirs(prediction, y), prediction)[0])
        tally.add(prediction.detach(), entries.detach(), y)
        seen.append((prediction.detach(), y))
    whole = theirs(*(torch.cat(part) for part in zip(*seen, strict=True)))
    assert tally.scores()["loss"] == pytest.approx(float(whole))


def test_every_loss_and_every_option_is_tried():
    tried = {(loss, option) for _, loss, options, _ in CASES for option in options}
    assert {loss for _, loss, _, _ in CASES} | {"weighted_cross_entropy"} == set(LOSSES)
    assert tried == {(loss, option) for loss, row in LOSSES.items() for option in row.options if "weighted" not in loss}
    assert set(LOSSES) == set(get_args(spellings.LossName)) == {one for kind in KINDS.values() for one in kind.losses}


@pytest.mark.parametrize("loss", LOSSES)
def test_the_table_is_torchs(loss):
    row = LOSSES[loss]
    signature = inspect.signature(getattr(F, row.function)).parameters
    assert {name: signature[name].default for name in row.options} == row.options


def test_names_are_torchs():
    for name, meant in spellings.LOSSES.items():
        assert hasattr(nn, name) or hasattr(F, name)
        assert spellings.loss_name(name.upper()) == meant == spellings.loss_name(meant)
        function = (
            re.sub("(?<=[a-z0-9])(?=[A-Z])", "_", name.removesuffix("Loss")).lower() if name[0].isupper() else name
        )
        assert meant.replace("_", "") in function.replace("_", "") or meant == "bce_with_logits"
    assert set(get_args(spellings.ScoreName)) == set(SCORES)
    assert {spellings.score_name(name) for name in spellings.SCORES} <= set(SCORES)
    assert spellings.score_name("AUROC") == "roc_auc"
    assert spellings.score_name("acccuracy") == "acccuracy"


def test_the_resolved_spec_has_the_short_name():
    spec = load_spec("gin", ["train.loss=CrossEntropyLoss", "train.monitor=balanced_accuracy"])
    assert (spec.settings.train.loss, spec.settings.train.monitor) == ("cross_entropy", "acc")
    assert "loss: cross_entropy" in spec.text


@pytest.mark.parametrize(
    ("settings", "message", "cure"),
    [
        ("loss: cross_entropy, loss_options: {label_smothing: 0.1}", "no option `label_smothing`", "`label_smoothing`"),
        (
            "loss: weighted_cross_entropy, loss_options: {weight: [1, 2]}",
            "no option `weight`",
            "it has label_smoothing",
        ),
        ("loss: cross_entropy, loss_options: {label_smoothing: [1, 2]}", "is a number", "write a number"),
        ("loss: cross_entropy, loss_options: {weight: 2}", "is a list of 2 numbers", "a list of 2"),
        ("loss: cross_entropy, loss_options: {weight: [1, 2, 3]}", "2 numbers that are not negative", "each class"),
        ("loss: cross_entropy, loss_options: {weight: [1, -2]}", "2 numbers that are not negative", "each class"),
        (
            "loss: cross_entropy, loss_options: {weight: [1, 2], label_smoothing: 0.1}",
            "cannot be together",
            "leave one",
        ),
    ],
)
def test_problems(settings, message, cure):
    lines = settings.replace(", loss_options", "\n  loss_options")
    spec = parse_spec(SPEC.replace("train:\n", f"train:\n  {lines}\n"))
    with pytest.raises(SpecError) as caught:
        with_defaults(spec, TABLE["pattern"])
    (problem,) = caught.value.diagnostics
    assert (problem.code, problem.span is not None) == ("E0619", True)
    assert message in problem.message
    assert cure in problem.help
