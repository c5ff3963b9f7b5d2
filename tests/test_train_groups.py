"""Weights that an optimiser treats otherwise, in text and in torch: by patterns, and norms and single numbers."""

import inspect
import signal

import pytest
import torch
from torch import nn

from archspec.diagnostics import SpecError
from archspec.ir import groups
from archspec.pipeline import build, compile_spec
from archspec.syntax.load import load_spec
from archspec.syntax.schema import OptimizerSettings
from archspec.train.interrupt import Interrupted
from archspec.train.optimizer import exempt, make, names
from tests.test_train_resume import differing
from tests.training import Stops, resume, start

SGD = {"name": "sgd", "lr": 0.1, "weight_decay": 0.5}


@pytest.fixture(scope="session")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("graphs")


class Scaled(nn.Module):
    """A linear map, a norm and a single number."""

    def __init__(self):
        super().__init__()
        self.linear, self.norm, self.eps = nn.Linear(2, 2), nn.BatchNorm1d(2), nn.Parameter(torch.tensor(2.0))


class NormalAttention(nn.Linear):
    """No norm, though its name begins like one."""


def settings(**given) -> OptimizerSettings:
    return OptimizerSettings.model_validate(SGD | given)


def shrunk(**given) -> dict[str, float]:
    """By how much a step without gradients shrinks every weight: lr · decay of plain gradient descent."""
    module = Scaled()
    for one in module.parameters():
        nn.init.constant_(one, 1.0)
        one.grad = torch.zeros_like(one)
    make(module, settings(**given)).step()
    return {name: round(1 - one.detach().mean().item(), 6) for name, one in module.named_parameters()}


def test_norms_and_single_numbers_do_not_decay():
    decayed = {"linear.weight": 0.05, "linear.bias": 0.05}
    assert shrunk() == dict.fromkeys(("norm.weight", "norm.bias", "eps"), 0.0) | decayed
    assert set(shrunk(weight_decay=0).values()) == {0.0}


def test_entries_win_over_the_default_and_later_ones_over_earlier_ones():
    found = shrunk(groups={"*": {"weight_decay": 0.2}, "*.weight": {"lr": 0.5}, "norm.*": {"weight_decay": 0.4}})
    assert found == {
        "eps": 0.02,
        "linear.weight": 0.1,
        "linear.bias": 0.02,
        "norm.weight": 0.2,
        "norm.bias": 0.04,
    }


def test_one_group_where_nothing_is_said():
    """A run without decay has the bits and the checkpoints that it had before there were groups."""
    assert len(make(Scaled(), settings(weight_decay=0)).param_groups) == 1
    first, second = make(Scaled(), settings(groups={"linear.weight": {"lr": 0.3}}, weight_decay=0)).param_groups
    assert (first["lr"], second["lr"]) == (0.1, 0.3)


def test_what_is_a_norm():
    module = nn.ModuleDict({"a": NormalAttention(2, 2), "b": nn.GroupNorm(1, 2), "c": nn.LayerNorm(2)})
    assert exempt(module) == {"b.weight", "b.bias", "c.weight", "c.bias"}


@pytest.mark.parametrize("name", ["gin", "gps", "pna", "graphormer", "edge_stream_transformer", "ckgconv"])
def test_the_text_and_the_module_agree(name):
    spec = load_spec(name)
    program = compile_spec(spec).program
    assert groups.exempt(program) == exempt(build(spec).module)


def test_the_defaults_are_torchs():
    signatures = {name: inspect.signature(one).parameters for name, one in names().items()}
    known = {name: one[groups.DECAY].default for name, one in signatures.items() if groups.DECAY in one}
    assert {name: value for name, value in known.items() if value} == groups.DECAYING


@pytest.mark.parametrize(
    ("entry", "code", "message", "cure"),
    [
        ({"weight_deacy": 0.1}, "E0602", "`SGD` has no option `weight_deacy`", "write `weight_decay`"),
        ({"momentum": "big"}, "E0603", "`momentum` of `SGD` is a number, found `big`", "`0"),
    ],
)
def test_problems_stand_at_their_entry(entry, code, message, cure):
    asked = []
    with pytest.raises(SpecError) as caught:
        make(Scaled(), settings(groups={"linear.*": entry}), lambda *path: asked.append(path))
    (problem,) = caught.value.diagnostics
    assert (problem.code, problem.message) == (code, message)
    assert cure in problem.help
    assert asked[-1] == ("train", "optimizer", "groups", "linear.*", next(iter(entry)))


@pytest.mark.parametrize(
    ("override", "code", "at"),
    [
        ("train.optimizer.groups.layer.0.*.lr=1e-4", "E0501", "^^"),
        ("train.optimizer.groups={layer.0.*: {lr: 1e-4}}", "E0501", "^^"),
        ("train.optimizer.groups.layers.0.*.lr=-1", "E0632", "^^"),
    ],
)
def test_a_pattern_of_no_weight_is_told_without_torch(override, code, at):
    with pytest.raises(SpecError) as caught:
        compile_spec(load_spec("gin", [override]))
    assert caught.value.diagnostics[0].code == code
    assert caught.value.diagnostics[0].span is not None


def test_overrides_name_patterns_with_dots():
    spec = load_spec("gin", ["train.optimizer.groups.layers.0.*.lr=0.5", "train.optimizer.groups.*.eps={lr: 0.1}"])
    found = {pattern: groups.given(one) for pattern, one in spec.settings.train.optimizer.groups.items()}
    assert found == {"layers.0.*": {"lr": 0.5}, "*.eps": {"lr": 0.1}}


def test_a_pattern_is_removed_by_null(tmp_path):
    text = "name: child\nextends: gin\ntrain: {optimizer: {groups: {layers.0.*: {lr: 0.5}, '*.eps': {lr: 0.1}}}}\n"
    (tmp_path / "child.yaml").write_text(text)
    spec = load_spec(tmp_path / "child.yaml", ["train.optimizer.groups.layers.0.*=null"])
    assert set(spec.settings.train.optimizer.groups) == {"*.eps"}


GROUPED = {"name": "adamw", "lr": 0.01, "groups": {"head.*": {"lr": 1e-3, "betas": [0.8, 0.99]}}}


@pytest.mark.parametrize("schedule", ["cosine", "plateau"])
def test_resumed_with_groups(cache, tmp_path, schedule):
    given = {"optimizer": GROUPED, "schedule": {"name": schedule}}
    whole = start(cache, tmp_path / "whole", **given)
    with pytest.raises(Interrupted):
        start(cache, tmp_path / "run", Stops(signal.SIGINT, 1, 3), **given)
    assert differing(whole, resume(cache, tmp_path / "run", **given)) == []


def test_a_lowest_rate_above_that_of_a_group_is_refused(cache, tmp_path):
    with pytest.raises(SpecError, match=r"above the learning rate 0\.001"):
        start(cache, tmp_path / "run", optimizer=GROUPED, schedule={"name": "cosine", "min_lr": 5e-3})


def test_a_checkpoint_from_before_norms_had_no_decay(cache, tmp_path):
    path = tmp_path / "run"
    made = start(cache, path, optimizer={"name": "adamw", "groups": {"*": {"weight_decay": 0.01}}}, epochs=1)
    assert made.done.exists()
    with pytest.raises(SpecError, match="the optimiser of the checkpoint does not fit") as caught:
        resume(cache, path, optimizer={"name": "adamw"}, epochs=2)
    assert caught.value.diagnostics[0].code == "E0615"
