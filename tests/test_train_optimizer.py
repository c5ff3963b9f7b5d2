"""Optimisers by name and their options: what is taken, and what a typo is answered with, and where."""

import pytest
import torch
from torch import nn

from archspec.diagnostics import SpecError
from archspec.source import SourceFile, Span
from archspec.syntax.schema import OptimizerSettings
from archspec.train.optimizer import UNSUITED, make, names

TEXT = "train: {optimizer: {name: adam, lr: 1e-3, weigth_decay: 0.1}}"


def settings(**given) -> OptimizerSettings:
    return OptimizerSettings.model_validate(given)


def made(**given) -> torch.optim.Optimizer:
    return make(nn.Linear(2, 3), settings(**given))


def problem(**given):
    with pytest.raises(SpecError) as caught:
        made(**given)
    return caught.value.diagnostics[0]


@pytest.mark.parametrize("name", ["adam", "Adam", "ADAM", "AdamW", "sgd", "rmsprop", "nadam"])
def test_names_in_any_case(name):
    assert type(made(name=name)).__name__.lower() == name.lower()


@pytest.mark.parametrize("name", sorted(set(names()) - set(UNSUITED) - {"muon"}))
def test_every_optimiser_of_torch_makes_a_step(name):
    module = nn.Linear(2, 3)
    optimizer = make(module, settings(name=name, lr=0.01))
    before = module.weight.clone()
    module(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    assert not torch.equal(before, module.weight)


def test_options_reach_torch():
    group = made(name="adamw", lr=0.5, betas=[0.8, 0.9], weight_decay=0.1).param_groups[0]
    assert (group["lr"], group["betas"], group["weight_decay"]) == (0.5, (0.8, 0.9), 0.1)


def test_adam_is_fused_unless_the_user_says_otherwise():
    assert made(name="adam").param_groups[0]["fused"]
    assert made(name="adam", fused=False).param_groups[0]["fused"] is False
    assert made(name="adam", foreach=True).param_groups[0]["fused"] is None
    assert made(name="sgd").param_groups[0]["fused"] is None


@pytest.mark.parametrize(
    ("given", "code", "message", "cure"),
    [
        ({"name": "adamm"}, "E0601", "unknown optimiser `adamm`", "write `adam`"),
        ({"name": "zzz"}, "E0601", "unknown optimiser `zzz`", "known: `adadelta`"),
        ({"name": "lbfgs"}, "E0604", "several times a step", "`adam`"),
        ({"name": "adam", "weigth_decay": 0.1}, "E0602", "`Adam` has no option `weigth_decay`", "write `weight_decay`"),
        ({"name": "adam", "momentum": 0.1}, "E0602", "`Adam` has no option `momentum`", "known: `amsgrad`"),
        ({"name": "adam", "maximize": True}, "E0602", "no option `maximize`", "known"),
        (
            {"name": "adam", "betas": 0.9},
            "E0603",
            "`betas` of `Adam` is a list of 2 numbers, found `0.9`",
            "(0.9, 0.999)",
        ),
        ({"name": "adam", "amsgrad": 1}, "E0603", "`amsgrad` of `Adam` is true or false", "`False`"),
        ({"name": "sgd", "momentum": "big"}, "E0603", "`momentum` of `SGD` is a number, found `big`", "`0"),
        ({"name": "adam", "betas": [2.0, 0.9]}, "E0603", "invalid beta parameter", "give a value"),
        ({"name": "sgd", "nesterov": True}, "E0603", "nesterov", "give a value"),
        ({"name": "muon"}, "E0603", "2D", "give a value"),
    ],
)
def test_problems(given, code, message, cure):
    found = problem(**given)
    assert found.code == code
    assert message in found.message
    assert cure in found.help


def test_a_typo_is_placed_in_the_spec():
    span = Span(SourceFile("spec.yaml", TEXT), TEXT.index("0.1"), TEXT.index("0.1") + 3)
    places = {("train", "optimizer", "weigth_decay"): span}
    with pytest.raises(SpecError) as caught:
        make(nn.Linear(2, 3), settings(weigth_decay=0.1), lambda *path: places.get(path))
    assert caught.value.diagnostics[0].span is span


def test_a_refused_value_is_placed_at_its_option():
    asked = []
    with pytest.raises(SpecError):
        make(nn.Linear(2, 3), settings(eps=1e-8, betas=[2.0, 0.9]), lambda *path: asked.append(path))
    assert asked[-1] == ("train", "optimizer", "betas")


def test_frozen_parameters_are_left_out_and_nothing_to_train_is_said():
    module = nn.Linear(2, 3)
    module.bias.requires_grad_(False)
    assert make(module, settings()).param_groups[0]["params"] == [module.weight]
    module.weight.requires_grad_(False)
    with pytest.raises(SpecError, match="nothing to train"):
        make(module, settings())
