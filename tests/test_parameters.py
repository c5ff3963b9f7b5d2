"""`parameters:`: what patterns stand for, initial values, freezing, and training with weights that are frozen."""

import inspect
import pickle
import signal

import pytest
import torch
from torch import nn

from archspec.commands.diff import checked
from archspec.compare.difference import differences
from archspec.compare.markup import side
from archspec.compare.sources import Source
from archspec.diagnostics import SpecError
from archspec.emit.build import build_module
from archspec.equal.compare import compare
from archspec.equal.module import agreement
from archspec.ir.settings import FILLINGS, WORDS, frozen, matches
from archspec.pipeline import compile_spec
from archspec.syntax.load import load_spec, parse_spec
from archspec.syntax.spec import Spec
from archspec.train.checkpoint import read
from archspec.train.engine import Engine
from archspec.train.folder import RunFolder
from archspec.train.interrupt import Interrupted
from archspec.train.run import headline
from tests.checking import spec_text
from tests.compiling import CATEGORIES, of_spec
from tests.training import CPU, Small, Stops, differing, resume, start, task

LAYER = {"layer": "x = x + w1 * mlp(x)", "where": "w1: scalar(0)"}


def spec(parameters: str, **parts: str) -> Spec:
    return parse_spec(spec_text(parameters=parameters, **(LAYER | parts)), "test.yaml")


def module(parameters: str, **parts: str) -> nn.Module:
    return build_module(compile_spec(spec(parameters, **parts)).code, "test")


def still(made: nn.Module) -> set[str]:
    return {name for name, parameter in made.named_parameters() if not parameter.requires_grad}


@pytest.mark.parametrize(
    ("pattern", "name", "wanted"),
    [
        ("layers.*.w1", "layers.0.w1", True),
        ("layers.*.w1", "layers.10.mlp.w1", True),
        ("layers.*.w1", "layers.0.w11", False),
        ("*", "input.encode.weight", True),
        ("layers.0.*", "layers.0.w1", True),
        ("layers.0.*", "layers.00.w1", False),
        ("layers.?.w1", "layers.0.w1", False),
        ("*w*", "w", True),
    ],
)
def test_patterns(pattern: str, name: str, wanted: bool) -> None:
    assert matches(pattern, name) is wanted


def test_functions_are_those_of_torch() -> None:
    for name, row in FILLINGS.items():
        signature = inspect.signature(getattr(nn.init, name)).parameters
        options = {key: value.default for key, value in signature.items() if key not in ("tensor", "generator")}
        assert options == {key: inspect.Parameter.empty if one is None else one for key, one in row.options.items()}
        assert not set(WORDS) & set(row.options) or name.startswith("kaiming")
    others = {name for name in vars(nn.init) if name.endswith("_") and not name.startswith("_")} - set(FILLINGS)
    assert others <= {"dirac_"}
    for word in WORDS["nonlinearity"]:
        nn.init.calculate_gain(word)


@pytest.mark.parametrize("name", FILLINGS)
def test_functions_fill_weights_of_the_ranks_they_say(name: str) -> None:
    row = FILLINGS[name]
    options = {key: 0.5 for key, default in row.options.items() if default is None}
    for rank in range(4):
        tensor = torch.full((4,) * rank, 7.0)
        if row.least <= rank and (row.most is None or rank <= row.most):
            getattr(nn.init, name)(tensor, **options)
            assert not (tensor == 7).any()
        elif rank:
            with pytest.raises(ValueError, match="dimensions"):
                getattr(nn.init, name)(tensor, **options)


def test_values_and_freezing_of_the_module() -> None:
    made = module(
        "layers.*.w1: {init: -2.0}\n"
        "layers.1.w1: {init: -.inf, frozen: true}\n"
        "layers.*.mlp.linear.weight: {init: [[0, 8, -100, 0, 0, 0, 0, 1]]}\n"
        "layers.0.mlp.linear.bias: {init: [1, 2, 3, 4, 5, 6, 7, 8], frozen: until epoch 3}\n"
        "output.linear.weight: {init: {name: trunc_normal_, mean: 5, std: 0.1, a: 4.5, b: 5.5}}"
    )
    weights = made.state_dict()
    assert (float(weights["layers.0.w1"]), float(weights["layers.1.w1"])) == (-2, -torch.inf)
    assert weights["layers.1.mlp.linear.weight"].tolist() == 8 * [[0, 8, -100, 0, 0, 0, 0, 1]]
    assert weights["layers.0.mlp.linear.bias"].tolist() == [1, 2, 3, 4, 5, 6, 7, 8]
    assert float(weights["output.linear.weight"].min()) >= 4.5
    assert still(made) == {"layers.1.w1", "layers.0.mlp.linear.bias"}
    made.freeze(2)
    assert still(pickle.loads(pickle.dumps(made))) == {"layers.1.w1", "layers.0.mlp.linear.bias"}
    made.freeze(3)
    assert still(made) == {"layers.1.w1"}


def test_later_entries_win_each_for_what_they_say() -> None:
    made = module("layers.*: {init: 1, frozen: true}\nlayers.1.*: {frozen: false}\n'*.w1': {init: 3}")
    assert {name.split(".")[1] for name in still(made)} == {"0"}
    assert float(made.state_dict()["layers.0.w1"]) == 3
    assert float(made.state_dict()["layers.1.mlp.linear.bias"].max()) == 1


def test_layers_of_a_spec_merge_pattern_by_pattern(tmp_path) -> None:
    base = spec_text(parameters="layers.*.w1: {init: {name: normal_, std: 2}, frozen: true}\n'*': {init: 0}", **LAYER)
    (tmp_path / "base.yaml").write_text(base)
    (tmp_path / "child.yaml").write_text(
        "name: c\nextends: base.yaml\nparameters:\n"
        "  layers.*.w1: {init: {name: uniform_, a: 0.1}, frozen: null}\n  '*': null\n"
    )
    read = load_spec(tmp_path / "child.yaml", ["parameters.layers.0.*.frozen=until epoch 4"])
    assert parse_spec(read.text).settings == read.settings
    assert {key: one.model_dump(exclude_none=True) for key, one in read.settings.parameters.items()} == {
        "layers.*.w1": {"init": {"name": "uniform_", "a": 0.1}},
        "layers.0.*": {"frozen": "until epoch 4"},
    }
    for name in (tmp_path / "base.yaml", tmp_path / "child.yaml"):
        (tmp_path / "again.yaml").write_text(load_spec(name).text)
        assert load_spec(tmp_path / "again.yaml").settings == load_spec(name).settings


def test_the_comparison_sees_what_is_frozen_and_what_values_are_wrong() -> None:
    text = "layers.*.w1: {init: 2, frozen: true}\nlayers.0.mlp.linear.*: {frozen: until epoch 9}"
    assert agreement(spec(text)).startswith("outputs and gradients equal")
    case = of_spec(spec(text), CATEGORIES)
    graphs = case.graphs("everything")
    assert compare(case.built.module, case.built.program, graphs, case.weights).ok()
    case.built.module.layers[0].w1.requires_grad_(True)
    case.built.module.output.linear.bias.requires_grad_(False)
    case.built.module.layers[1].w1.data.fill_(3)
    assert compare(case.built.module, case.built.program, graphs, case.weights).weights == (
        "layers.0.w1 should not train",
        "output.linear.bias should train",
        "layers.1.w1 does not begin at the values of the spec",
    )


def test_settings_are_a_difference_of_specs() -> None:
    specs = [spec(f"layers.*.w1: {{init: {value}}}") for value in (1, 2)]
    old, new = (checked(Source("", one)) for one in specs)
    [change] = differences(old, new).all_changes()
    assert change.path == "layers.*.w1.init"
    assert side(change.lines[0].text, "-") == "layers.*.w1.init: 1"
    assert side(change.lines[0].text, "+") == "layers.*.w1.init: 2"


def test_names_are_found_without_a_data_set() -> None:
    program = compile_spec(spec("'*.weight': {frozen: true}", data="")).program
    assert set(frozen(program.settings)) == {
        *("input.encode.weight", "output.linear.weight"),
        *(f"layers.{k}.mlp.{one}.weight" for k in (0, 1) for one in ("linear", "batch_norm", "linear_2")),
    }


# training


class Freezing(Small):
    """The module of the training tests with weights frozen as an emitted one has them."""

    def __init__(self) -> None:
        torch.manual_seed(5)
        super().__init__()
        self.freeze()

    def freeze(self, epoch: int = 1) -> None:
        self.encode.weight.requires_grad_(False)
        for one in self.norm.parameters():
            one.requires_grad_(epoch >= 3)


@pytest.fixture(scope="session")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("graphs")


OPTIMIZER = {"name": "adamw", "lr": 0.01, "weight_decay": 0.5}


def trained(cache, path, display=None, run=start, **settings) -> RunFolder:
    return run(cache, path, display, module=Freezing(), optimizer=OPTIMIZER, **settings)


def changed(made: RunFolder) -> set[str]:
    """The weights that are not what they were at first."""
    before, after = Freezing().state_dict(), read(made.state)["module"]
    return {name for name, _ in Freezing().named_parameters() if not torch.equal(before[name], after[name])}


@pytest.fixture(scope="module")
def unbroken(cache, tmp_path_factory) -> RunFolder:
    return trained(cache, tmp_path_factory.mktemp("runs") / "unbroken")


def test_frozen_weights_stay_and_those_of_later_epochs_train_then(cache, unbroken, tmp_path) -> None:
    head = {"head.weight", "head.bias"}
    assert changed(trained(cache, tmp_path / "two", epochs=2)) == head
    assert changed(unbroken) == head | {"norm.weight", "norm.bias"}


@pytest.mark.parametrize(("epoch", "step"), [(1, 3), (2, 2), (3, 1)])
def test_resumed_around_the_thaw(cache, unbroken, tmp_path, epoch, step) -> None:
    path = tmp_path / "run"
    with pytest.raises(Interrupted):
        trained(cache, path, Stops(signal.SIGINT, epoch, step))
    assert differing(unbroken, trained(cache, path, run=resume)) == []


def test_the_first_line_counts_what_is_frozen(cache) -> None:
    made = task(cache, module=Freezing())
    assert headline(made, CPU).startswith("small: 90 parameters (56 frozen), ")


def test_nothing_to_train_is_refused(cache) -> None:
    made = task(cache, module=Freezing())
    made.module.head.requires_grad_(False)
    with pytest.raises(SpecError, match="nothing trains in epoch 1"):
        Engine(made, CPU.device)
