"""Schedules of torch by name: every one of them sets the rates it sets in a loop by hand, also after a pause."""

import inspect
import signal
from typing import get_args

import pytest
import torch
from torch import nn
from torch.optim import lr_scheduler

from archspec.diagnostics import SpecError
from archspec.syntax.schema import CosineSettings, TrainSettings
from archspec.syntax.spellings import TorchSchedule
from archspec.train.interrupt import Interrupted
from archspec.train.schedule import make
from archspec.train.torch_schedules import BY_STEP
from tests.test_train_resume import differing
from tests.training import Stops, resume, start

EPOCHS, STEPS = 6, 3

UNSUITED = {"LambdaLR", "MultiplicativeLR", "SequentialLR", "ChainedScheduler"}
"""They take functions or other schedules."""

LOSSES = [1.0, 0.9, 0.95, 0.94, 0.93, 0.8]

OPTIONS = {
    "StepLR": {"step_size": 2},
    "MultiStepLR": {"milestones": [1, 3]},
    "ConstantLR": {"factor": 0.5, "total_iters": 2},
    "LinearLR": {},
    "ExponentialLR": {"gamma": 0.5},
    "PolynomialLR": {},
    "CosineAnnealingLR": {"T_max": 6},
    "CosineAnnealingWarmRestarts": {"T_0": 2},
    "CyclicLR": {"base_lr": 1e-3, "max_lr": 0.1, "step_size_up": 4},
    "OneCycleLR": {"max_lr": 0.1},
    "ReduceLROnPlateau": {"patience": 0, "threshold": 0.5},
}


@pytest.fixture(scope="session")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("graphs")


def optimizer() -> torch.optim.Optimizer:
    return torch.optim.SGD(nn.Linear(1, 1).parameters(), lr=0.1, momentum=0.9)


def settings(schedule: dict) -> TrainSettings:
    return TrainSettings.model_validate({"epochs": EPOCHS, "schedule": schedule})


def test_every_schedule_of_torch_is_tried():
    classes = [value for value in vars(lr_scheduler).values() if inspect.isclass(value)]
    made = {one.__name__ for one in classes if issubclass(one, lr_scheduler.LRScheduler)}
    assert set(OPTIONS) == set(get_args(TorchSchedule))
    assert made - set(OPTIONS) == {"LRScheduler", "_LRScheduler"} | UNSUITED


def by_hand(name: str, every: str) -> list[float]:
    """The rate of every step, in the loop that torch's page shows."""
    theirs, rates = optimizer(), []
    length = {"total_steps": EPOCHS * STEPS if every == "step" else EPOCHS} if name == "OneCycleLR" else {}
    torchs = getattr(lr_scheduler, name)(theirs, **OPTIONS[name], **length)
    for epoch in range(EPOCHS):
        for step in range(STEPS):
            rates.append(theirs.param_groups[0]["lr"])
            theirs.step()
            if every == "step" and (epoch, step) != (EPOCHS - 1, STEPS - 1):
                torchs.step()
        if every == "epoch":
            torchs.step(LOSSES[epoch]) if name == "ReduceLROnPlateau" else torchs.step()
    return rates


@pytest.mark.parametrize("name", OPTIONS)
def test_rates_are_torchs(name):
    every = "step" if name in BY_STEP else "epoch"
    ours, rates = optimizer(), []
    schedule = make(ours, settings({"name": name.lower(), **OPTIONS[name]}), STEPS)
    for epoch in range(EPOCHS):
        for step in range(STEPS):
            schedule.before_step(epoch * STEPS + step)
            rates.append(ours.param_groups[0]["lr"])
            ours.step()
        schedule.after_epoch({"loss": LOSSES[epoch]})
    assert rates == by_hand(name, every)
    assert len(set(rates)) > 1


@pytest.mark.parametrize("name", OPTIONS)
@pytest.mark.parametrize("epoch", [1, 3])
def test_resumed_bit_for_bit(cache, tmp_path, name, epoch):
    if epoch == 3 and name not in BY_STEP:
        pytest.skip("one pause is enough where nothing changes within an epoch")
    given = {"schedule": {"name": name, **OPTIONS[name]}, "optimizer": {"name": "sgd", "lr": 0.1, "momentum": 0.9}}
    whole = start(cache, tmp_path / "whole", **given)
    with pytest.raises(Interrupted):
        start(cache, tmp_path / "run", Stops(signal.SIGINT, epoch, 2), **given)
    assert differing(whole, resume(cache, tmp_path / "run", **given)) == []
    assert len({one["lr"] for one in whole.records()}) > 1


@pytest.mark.parametrize(
    ("schedule", "code", "message", "cure"),
    [
        ({"name": "StepLR", "step_size": 2, "gama": 0.1}, "E0622", "`StepLR` has no option `gama`", "write `gamma`"),
        ({"name": "StepLR"}, "E0622", "`StepLR` needs the option `step_size`", "`step_size: …`"),
        ({"name": "StepLR", "step_size": "2"}, "E0623", "`step_size` of `StepLR` is a number", "torch's page"),
        ({"name": "StepLR", "step_size": 2, "gamma": True}, "E0623", "`gamma` of `StepLR` is a number", "`0.1`"),
        ({"name": "LinearLR", "start_factor": 2.0}, "E0623", "refuses its options: starting", "values it takes"),
        ({"name": "ReduceLROnPlateau", "every": "step"}, "E0623", "after every epoch", "remove it"),
        ({"name": "StepLR", "last_epoch": 3, "step_size": 2}, "E0622", "no option `last_epoch`", "known"),
    ],
)
def test_problems(schedule, code, message, cure):
    with pytest.raises(SpecError) as caught:
        make(optimizer(), settings(schedule), STEPS)
    problem = caught.value.diagnostics[0]
    assert problem.code == code
    assert message in problem.message
    assert cure in problem.help


@pytest.mark.parametrize("name", ["StepLR", "steplr", "STEPLR"])
def test_names_in_any_case(name):
    assert settings({"name": name, "step_size": 2}).schedule.name == "StepLR"


def test_own_schedules_are_not_torchs():
    assert isinstance(settings({"name": "cosine"}).schedule, CosineSettings)
