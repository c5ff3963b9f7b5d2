"""`extends`, `uses` and `--set`: which of several layers wins."""

from pathlib import Path

import pytest

from archspec.diagnostics import SpecError, render
from archspec.syntax.load import load_spec
from archspec.syntax.parser import parse_body, parse_stack
from archspec.syntax.spec import Spec

BASE = """
name: base
about: first
model:
  sizes: {d: 8, heads: 2}
  input: x = encode(x, d)
  stack: 2 * layer
  output: linear(x, out)
  where:
    layer: x = x + mlp(x, 3)
    mlp(h, k): h -> linear(d)
    eps: scalar(0)
parameters:
  "*.eps": {init: 1.0}
data: {name: pattern, batch_size: 16, limit: 5, options: {p: 0.5}}
train:
  epochs: 3
  optimizer: {name: adam, lr: 1e-2, betas: 0.9}
  schedule: {name: plateau, factor: 0.5, patience: 7}
  clip: 1.0
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with the base."""
    monkeypatch.chdir(tmp_path)
    Path("base.yaml").write_text(BASE)


def child(text: str, *overrides: str) -> Spec:
    """A spec that extends the base."""
    Path("child.yaml").write_text(f"extends: base.yaml\n{text}")
    return load_spec("child.yaml", overrides)


def test_sections_merge_key_by_key() -> None:
    spec = child("name: child\ntrain: {epochs: 9}\nmodel: {sizes: {heads: 4}}\n")
    assert spec.name == "child"
    assert spec.settings.about == "first"
    assert spec.settings.train.epochs == 9
    assert spec.settings.train.optimizer.lr == 1e-2
    assert spec.settings.model.sizes == {"d": 8, "heads": 4}


def test_a_definition_is_replaced_by_its_name() -> None:
    spec = child("model:\n  where:\n    mlp(h): h -> relu\n")
    assert list(spec.definitions) == ["layer", "mlp", "eps"]
    assert spec.settings.model.where["mlp(h)"] == "h -> relu"
    assert "mlp(h, k)" not in spec.settings.model.where
    assert spec.definitions["mlp"].span.source.path == "child.yaml"
    assert spec.definitions["layer"].span.source.path == "base.yaml"


NULLS = "train: {clip: null}\ndata: {options: {p: null}}\n"


def test_null_removes_and_elsewhere_is_a_value() -> None:
    spec = child(
        'model:\n  where:\n    eps: null\nparameters: {"*.eps": }\ntrain: {clip: null}\ndata: {options: {p: null}}\n'
    )
    assert "eps" not in spec.definitions
    assert spec.settings.parameters == {}
    assert spec.settings.train.clip is None
    assert spec.settings.data is not None
    assert spec.settings.data.options == {}
    assert child("data: null\n").settings.data is None


def test_another_kind_keeps_nothing_of_the_old_kind() -> None:
    spec = child("train: {schedule: {name: cosine, warmup: 2}, optimizer: {name: sgd}}\n")
    assert spec.settings.train.schedule.model_dump() == {"name": "cosine", "warmup": 2, "min_lr": 0.0}
    assert spec.settings.train.optimizer.model_dump() == {"name": "sgd", "lr": 1e-2, "groups": {}}
    same = child("train: {schedule: {name: plateau, patience: 1}}\n").settings.train.schedule
    assert (same.model_dump()["factor"], same.model_dump()["patience"]) == (0.5, 1)


def test_extends_is_seen_from_the_extending_file() -> None:
    Path("deep").mkdir()
    Path("deep/middle.yaml").write_text("extends: ../base\nname: middle\n")
    Path("top.yaml").write_text("extends: deep/middle.yaml\nabout: top\n")
    spec = load_spec("top.yaml")
    assert (spec.name, spec.settings.about) == ("middle", "top")
    assert spec.source.path == "top.yaml"


def test_uses_lies_between() -> None:
    Path("shared.yaml").write_text("mlp(h): h -> tanh\nother: 3\n")
    spec = child("uses: shared.yaml\nmodel: {where: {other: 4}}\n")
    assert spec.settings.model.where["mlp(h)"] == "h -> tanh"
    assert spec.settings.model.where["other"] == 4
    assert load_spec("child.yaml") == spec


@pytest.mark.parametrize(
    ("text", "place", "code"),
    [
        ("uses: absent.yaml\n", "child.yaml:2:7", "E0001"),
        ("uses: [1]\n", "child.yaml:2:7", "E0041"),
        ("uses: broken.yaml\n", "broken.yaml:1:4", "E0017"),
        ("model: {where: {epz: null}}\n", "child.yaml:2:17", "E0042"),
        ("model: 3\n", "child.yaml:2:8", "E0032"),
    ],
)
def test_problems(text: str, place: str, code: str) -> None:
    Path("broken.yaml").write_text("a: @\n")
    with pytest.raises(SpecError) as caught:
        child(text)
    assert render(caught.value.diagnostics, "concise").startswith(f"{place}: {code} ")


def test_a_ring_of_files() -> None:
    Path("a.yaml").write_text("extends: b.yaml\n")
    Path("b.yaml").write_text("extends: ./a.yaml\n")
    with pytest.raises(SpecError, match=r"b.yaml:1:10: E0040 a spec cannot extend itself"):
        load_spec("a.yaml")


def test_overrides() -> None:
    spec = load_spec(
        "base.yaml",
        ["model.sizes.d=110", "model.stack=16 * layer", "data.limit=320", "train.optimizer.lr=1e-3", "name=other",
         "model.where.mlp(h, act = relu)=h -> linear(d, bias = false) -> act", "train.clip=null",
         "model.where.eps=null",
         "parameters.layers.*.eps.init=-2.0", "parameters.layers.0.*={frozen: true}", "data.options.q=no",
         "model.where.layer=h = mlp(x)\nx = h"],
    )  # fmt: skip
    assert spec.settings.model.sizes["d"] == 110
    assert spec.stack == parse_stack("16 * layer")
    assert spec.settings.data is not None
    assert (spec.settings.data.limit, spec.settings.data.options) == (320, {"p": 0.5, "q": "no"})
    assert spec.settings.train.optimizer.lr == 1e-3
    assert spec.settings.train.clip is None
    assert spec.settings.model.where["mlp(h, act = relu)"] == "h -> linear(d, bias = false) -> act"
    assert "eps" not in spec.definitions
    assert {key: one.model_dump(exclude_none=True) for key, one in spec.settings.parameters.items()} == {
        "*.eps": {"init": 1.0},
        "layers.*.eps": {"init": -2.0},
        "layers.0.*": {"frozen": True},
    }
    assert spec.definitions["layer"].body == parse_body("h = mlp(x)\nx = h")
    assert spec.name == "other"


@pytest.mark.parametrize("order", [1, -1])
def test_overrides_change_a_kind_in_any_order(order: int) -> None:
    spec = load_spec("base.yaml", ["train.schedule.name=cosine", "train.schedule.warmup=2"][::order])
    assert spec.settings.train.schedule.model_dump() == {"name": "cosine", "warmup": 2, "min_lr": 0.0}
    whole = load_spec("base.yaml", ["train.schedule={name: cosine, warmup: 2}"])
    assert whole.settings == spec.settings


def test_a_section_of_the_model_is_overridden_as_a_whole() -> None:
    one = load_spec("gin", ["model.sizes={d: 64}", "model.where={between: identity, inner: identity}"])
    other = load_spec("gin", ["model.sizes.d=64", "model.where.between=identity", "model.where.inner=identity"])
    assert one.text == other.text
    assert "between: identity" in one.text


def test_later_overrides_win() -> None:
    assert load_spec("base.yaml", ["train.epochs=4", "train.epochs=5"]).settings.train.epochs == 5


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("train.epochs", "--set:1:1: E0043 an override is written `PATH=VALUE`"),
        ("train.epochs=", "--set:1:1: E0043"),
        ("=3", "--set:1:1: E0043"),
        ("", "--set:1:1: E0043"),
        ("train.epoch=3", "--set:1:7: E0630 unknown key `epoch` in `train` (write `epochs`)"),
        ("train.epochs=many", "--set:1:14: E0632 `train.epochs` must be a whole number"),
        ("train.epochs=1_0", "--set:1:14: E0013"),
        ("train.schedule={name: cosine", "--set:1:16: E0026"),
        ("train.schedule.name=cosin", "--set:1:21: E0632"),
        ("model.stack=4 * ", "--set:1:15: E0120"),
        ("model.stack.x=4", "--set:1:13: E0032"),
        ("model.sizes={d 64}", "--set:1:14: E0042"),
        ("model.sizes=5", "--set:1:13: E0032"),
        ("model.where.f(x)=2x", "--set:1:19: E0122"),
        ("model.where.mlb=null", "--set:1:13: E0042"),
        ("...=4", "--set:1:1: E0043"),
    ],
)
def test_wrong_overrides(override: str, message: str) -> None:
    with pytest.raises(SpecError) as caught:
        load_spec("base.yaml", [override])
    assert render(caught.value.diagnostics, "concise").startswith(message)
