"""Schedules against torch's own."""

import pytest
import torch
from torch import nn
from torch.optim.lr_scheduler import CosineAnnealingLR, LinearLR, ReduceLROnPlateau, SequentialLR

from archspec.diagnostics import SpecError
from archspec.syntax.schema import TrainSettings
from archspec.train.schedule import check, make

STEPS = 3  # in an epoch


def optimizer(lr: float = 0.1) -> torch.optim.Optimizer:
    return torch.optim.SGD(nn.Linear(1, 1).parameters(), lr=lr)


def settings(schedule: dict, epochs: int = 8) -> TrainSettings:
    return TrainSettings.model_validate({"epochs": epochs, "schedule": schedule, "optimizer": {"lr": 0.1}})


def test_constant():
    ours = optimizer()
    schedule = make(ours, settings({"name": "constant"}), STEPS)
    schedule.before_step(7)
    schedule.after_epoch({"loss": 1.0})
    assert ours.param_groups[0]["lr"] == 0.1
    assert schedule.over() is None


def test_a_training_may_be_all_warm_up():
    ours = optimizer()
    schedule = make(ours, settings({"name": "cosine", "warmup": 1}, epochs=1), STEPS)
    rates = []
    for step in range(STEPS):
        schedule.before_step(step)
        rates.append(ours.param_groups[0]["lr"])
    assert rates == pytest.approx([0.1 / 3, 0.2 / 3, 0.1])


@pytest.mark.parametrize("warmup", [0, 1, 2])
def test_cosine_is_torchs(warmup):
    ours, theirs = optimizer(), optimizer()
    schedule = make(ours, settings({"name": "cosine", "warmup": warmup, "min_lr": 0.01}), STEPS)
    first, total = warmup * STEPS, 8 * STEPS
    torchs = CosineAnnealingLR(theirs, total - first, eta_min=0.01)
    if first:
        # after the last step of its warm-up torch is at 1, which is where the cosine begins
        rise = LinearLR(theirs, start_factor=1 / first, total_iters=first - 1)
        torchs = SequentialLR(theirs, [rise, torchs], [first])
    for step in range(total):
        schedule.before_step(step)
        assert ours.param_groups[0]["lr"] == pytest.approx(theirs.param_groups[0]["lr"], abs=1e-12), step
        theirs.step()
        torchs.step()
    schedule.before_step(total)
    assert ours.param_groups[0]["lr"] == pytest.approx(0.01)


LOSSES = [1.0, 0.9, 0.95, 0.9, 0.91, 0.8, 0.85, 0.85, 0.85, 0.79999, 0.85, 0.85, 0.85, 0.85, 0.85]


def test_plateau_is_torchs_also_after_a_pause():
    given = {"name": "plateau", "factor": 0.3, "patience": 1, "min_lr": 1e-6}
    ours, theirs = optimizer(), optimizer()
    schedule = make(ours, settings(given), STEPS)
    torchs = ReduceLROnPlateau(theirs, factor=0.3, patience=1)
    rates = set()
    for at, loss in enumerate(LOSSES):
        schedule.after_epoch({"loss": loss})
        torchs.step(loss)
        if at % 4 == 3:  # a pause: another object goes on from the state
            state, rate = schedule.state_dict(), ours.param_groups[0]["lr"]
            ours = optimizer(rate)
            schedule = make(ours, settings(given), STEPS)
            schedule.load_state_dict(state)
        assert ours.param_groups[0]["lr"] == theirs.param_groups[0]["lr"]
        rates.add(ours.param_groups[0]["lr"])
    assert len(rates) > 3  # the losses above do make it fall


def test_plateau_ends_the_run_below_its_lowest_rate():
    schedule = make(optimizer(), settings({"name": "plateau", "patience": 0, "min_lr": 0.02}), STEPS)
    for loss in (1.0, 1.0, 1.0):
        schedule.after_epoch({"loss": loss})
        assert schedule.over() is None
    schedule.after_epoch({"loss": 1.0})  # 0.1 → 0.05 → 0.025 → 0.0125
    assert "fell below 0.02" in schedule.over()


@pytest.mark.parametrize(
    ("schedule", "message"),
    [
        ({"name": "cosine", "warmup": 9}, "a warm-up of 9 epochs is longer than the training of 8"),
        ({"name": "cosine", "min_lr": 0.2}, "`min_lr` 0.2 is above the learning rate 0.1"),
        ({"name": "plateau", "min_lr": 0.2}, "`min_lr` 0.2 is above the learning rate 0.1"),
    ],
)
def test_settings_that_cannot_be(schedule, message):
    with pytest.raises(SpecError, match=message) as caught:
        check(settings(schedule))
    assert caught.value.diagnostics[0].code == "E0605"
