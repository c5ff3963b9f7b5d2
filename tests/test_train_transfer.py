"""`--init-from`: weights by name between different specs, what became of each, and resuming a run that began so."""

import json
import signal
from pathlib import Path

import pytest
import torch
from torch import nn

from archspec.diagnostics import SpecError
from archspec.train import display, weights
from archspec.train.folder import RunFolder
from archspec.train.group import Group
from archspec.train.transfer import Transfer, rename, renamed, transfer
from tests.test_train_commands import SPEC, call, place  # noqa: F401  fixtures
from tests.test_train_resume import differing
from tests.training import Stops

OTHER = (
    SPEC.replace("name: tiny", "name: other")
    .replace("2 * layer", "3 * layer")
    .replace("linear(x, d)", "linear(x, d, bias = false)")
)


@pytest.fixture(scope="session")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("graphs")


class Small(nn.Module):
    """Three layers."""

    def __init__(self, width: int = 2):
        super().__init__()
        self.first, self.norm, self.last = nn.Linear(3, width), nn.BatchNorm1d(width), nn.Linear(width, 1, bias=False)


def saved(path: Path, **tensors: torch.Tensor) -> Path:
    weights.save(path, tensors, {"epoch": "7"})
    return path


def moved(path: Path, module: nn.Module | None = None, **options) -> tuple[Transfer, nn.Module]:
    module = module or Small()
    return transfer(module, path, **options), module


def test_what_matches_is_copied_and_the_rest_is_told(tmp_path):
    other = Small(width=2)
    nn.init.constant_(other.norm.running_mean, 5.0)
    given = {name: value for name, value in other.state_dict().items() if name != "first.bias"}
    path = saved(tmp_path / "w.safetensors", **given | {"last.weight": torch.zeros(1, 9), "more": torch.zeros(2)})
    module = Small()
    kept = {name: value.clone() for name, value in module.state_dict().items()}
    found, module = moved(path, module)
    now = module.state_dict()
    assert (found.new, found.left, found.epoch) == (("first.bias",), ("more",), "7")
    assert found.shapes == {"last.weight": ((1, 9), (1, 2))}
    for name in found.matched:
        assert torch.equal(now[name], other.state_dict()[name])
    for name in ("first.bias", "last.weight"):
        assert torch.equal(now[name], kept[name])
    assert set(found.matched) | {"first.bias", "last.weight"} == set(now)
    assert found.lines() == [
        f"weights from {path}, epoch 7: 6 matched",
        "  new: first.bias",
        "  left: more",
        "  (1, 9) there and (1, 2) here, so new: last.weight",
    ]


@pytest.mark.parametrize(
    ("text", "name", "wanted"),
    [
        ("a.b=c", "a.b.weight", "c.weight"),
        ("a.b=c", "a.bb.weight", "a.bb.weight"),
        ("layers.*.mlp=layers.*.ffn", "layers.3.mlp.linear.bias", "layers.3.ffn.linear.bias"),
        ("layers.*.mlp.*=blocks.*.f.*", "layers.3.mlp.k.bias", "blocks.3.f.k.bias"),
        ("layers.*=layers.0", "layers.4.w", "layers.0.w"),
        ("*.w=*.v", "x.w", "x.v"),
        ("a=b", "x.a", "x.a"),
    ],
)
def test_renames(text, name, wanted):
    matching = [name, "a.b", "layers.3.mlp.k.bias", "x.w", "a"]
    assert renamed(name, [rename(text, matching)]) == wanted


def test_renamed_weights_match(tmp_path):
    path = saved(tmp_path / "w.safetensors", **{"lin.weight": torch.ones(2, 3)})
    found, module = moved(path, renames=["lin=first"])
    assert found.matched == ("first.weight",)
    assert module.first.weight.tolist() == torch.ones(2, 3).tolist()


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        ({}, "E0644", "write `--rename OLD=NEW`"),
        ({"renames": ["lin"]}, "E0645", "`*` on both sides"),
        ({"renames": ["lin=*.a"]}, "E0645", "`*` on both sides"),
        ({"renames": ["lim=first"]}, "E0645", "lin"),
        ({"renames": ["lin=first"], "sha256": "0"}, "E0646", "start a new run"),
    ],
)
def test_problems(tmp_path, options, code, words):
    path = saved(tmp_path / "w.safetensors", **{"lin.weight": torch.ones(2, 3)})
    with pytest.raises(SpecError) as caught:
        moved(path, **options)
    (problem,) = caught.value.diagnostics
    assert (problem.code, words in problem.help) == (code, True)


def test_a_run_begins_with_the_weights_of_another_spec(place, call):  # noqa: F811
    (place / "other.yaml").write_text(OTHER)
    call("train", "tiny.yaml", "--run-dir", "source", "--set", "train.epochs=1")
    code, out, err = call("train", "other.yaml", "--init-from", "source", "--run-dir", "run", "--set", "train.epochs=2")
    assert (code, err) == (0, "")
    assert "epoch 1: 15 matched" in out
    assert "  left: layers.*.linear.bias" in out
    told = RunFolder(Path("run")).told()["options"]["initial"]
    assert told["left"] == ["layers.0.linear.bias", "layers.1.linear.bias"]
    assert "layers.2.linear.weight" in told["new"]
    call("train", "other.yaml", "--run-dir", "fresh", "--set", "train.epochs=2")
    assert differing(*(RunFolder(Path(name)) for name in ("run", "fresh"))) != []
    code, _, err = call("train", "other.yaml", "--run-dir", "run", "--set", "train.epochs=2")
    assert (code, "E0610" in err) == (1, True)  # without the weights it is another run
    assert "E0641" in call("train", "--resume", "run", "--init-from", "source")[2]


@pytest.mark.parametrize(("epoch", "step"), [(0, 1), (1, 2)])
def test_it_resumes_bit_for_bit(place, call, monkeypatch, epoch, step):  # noqa: F811
    call("train", "tiny.yaml", "--run-dir", "source", "--set", "train.epochs=1")
    command = ("train", "tiny.yaml", "--init-from", "source", "--set", "train.seed=5")
    call(*command, "--run-dir", "whole")
    with monkeypatch.context() as patch:
        patch.setattr(display, "choose", lambda talks: Stops(signal.SIGINT, epoch, step))
        assert call(*command, "--run-dir", "run")[0] == 130
    if epoch == 0:  # as after a kill before the first checkpoint
        for one in Path("run/checkpoints").iterdir():
            one.unlink()
    code, _, err = call("train", "--resume", "run")
    assert (code, err) == (0, "")
    assert differing(*(RunFolder(Path(name)) for name in ("whole", "run"))) == []


def test_weights_that_changed_before_the_first_checkpoint_are_told(place, call):  # noqa: F811
    call("train", "tiny.yaml", "--run-dir", "source", "--set", "train.epochs=1")
    call("train", "tiny.yaml", "--init-from", "source", "--run-dir", "run")
    for one in (*Path("run/checkpoints").iterdir(), Path("run/done.json"), Path("run/metrics.jsonl")):
        one.unlink()
    call("train", "--resume", "source", "--set", "train.epochs=3")
    code, _, err = call("train", "--resume", "run")
    assert (code, "E0646" in err) == (1, True)


def test_all_seeds_begin_with_them(place, call):  # noqa: F811
    call("train", "tiny.yaml", "--run-dir", "source", "--set", "train.epochs=1")
    call("train", "tiny.yaml", "--init-from", "source", "--seeds", "2", "--run-dir", "all", "--set", "train.epochs=1")
    made = Group(Path("all"))
    assert [made.run(seed).told()["options"]["initial"]["epoch"] for seed in (0, 1)] == ["1", "1"]
    assert json.loads(made.file.read_text())["options"]["init_from"].endswith("source")
