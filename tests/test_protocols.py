"""Published protocols: what they set, what wins over them; what of a run is hashed, and how results are told apart."""

import json
import signal
from pathlib import Path

import pytest
import torch

from archspec.diagnostics import SpecError
from archspec.syntax import protocols
from archspec.syntax.load import load_spec, parse_spec
from archspec.syntax.spec import Spec
from archspec.train import protocol
from archspec.train.engine import Evaluator
from archspec.train.interrupt import Interrupted
from archspec.train.protocol import Departure, describe, differences, digest
from tests.test_train_resume import differing
from tests.training import CPU, Stops, resume, start, task

ALL = [(name, data) for name in protocols.names() for data in protocols.data_sets(protocols.document(name))]

SET = {
    *("epochs", "seeds", "optimizer", "schedule", "loss", "monitor"),
    *("loss_options", "clip", "patience", "select", "averaging", "eval_batch_size"),
}

SPEC = """\
name: small
model: {sizes: {d: 8}, input: "x = encode(x, d)", stack: layer, output: "linear(x, out)", where: {layer: x = relu(x)}}
data: {name: pattern, limit: 12, batch_size: 4}
"""


@pytest.fixture(scope="session")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("graphs")


def spec(
    *overrides: str, train: str = "{epochs: 3, optimizer: {name: sgd, lr: 0.5, momentum: 0.9}, clip: 2.0}"
) -> Spec:
    Path("small.yaml").write_text(f"{SPEC}train: {train}\n")
    return load_spec("small.yaml", overrides)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(("name", "data"), ALL)
def test_every_protocol_says_everything(name, data):
    made = load_spec("gin", [f"protocol={name}", f"data={{name: {data}}}"]).settings
    wanted = protocols.data_sets(protocols.document(name))[data].plain
    assert set(wanted["train"]) == SET
    assert set(wanted["data"]) == {"batch_size"}
    assert made.train.epochs == wanted["train"]["epochs"]
    assert made.train.optimizer.model_dump(exclude_unset=True).keys() == wanted["train"]["optimizer"].keys()
    assert protocol.departures(load_spec("gin", [f"protocol={name}", f"data={{name: {data}}}"])) == []


@pytest.mark.parametrize(
    ("name", "data", "path", "value"),
    [
        ("benchmarking-gnns", "pattern", "train.seeds", [41, 95, 12, 35]),
        ("benchmarking-gnns", "pattern", "train.schedule.patience", 5),
        ("benchmarking-gnns", "zinc", "train.schedule.patience", 10),
        ("benchmarking-gnns", "csl", "train.schedule.min_lr", 1e-6),
        ("gps", "zinc", "train.epochs", 2000),
        ("gps", "cluster", "data.batch_size", 16),
        ("gps", "pattern", "train.optimizer.lr", 5e-4),
        ("gps", "pattern", "train.optimizer.groups.*.weight_decay", 1e-5),
    ],
)
def test_values_that_were_looked_up(name, data, path, value):
    assert protocols.published(name, data)[path] == value


def test_a_protocol_stands_below_the_layer_that_names_it():
    over = spec("protocol=gps").settings
    assert (over.train.epochs, over.train.optimizer.name, over.data.batch_size) == (100, "adamw", 32)
    assert over.train.optimizer.model_extra == {"weight_decay": 1e-5}  # no momentum is left
    under = spec("train.epochs=7", "protocol=gps", "train.optimizer.lr=0.25").settings
    assert (under.train.epochs, under.train.optimizer.lr, under.train.clip) == (7, 0.25, 1.0)
    Path("base.yaml").write_text(f"{SPEC}protocol: gps\ntrain: {{epochs: 3}}\n")
    Path("child.yaml").write_text("extends: base.yaml\nname: child\ntrain: {clip: null}\n")
    child = load_spec("child.yaml").settings
    assert (child.train.epochs, child.train.clip, child.train.monitor, child.data.batch_size) == (3, None, "acc", 4)


def test_the_data_set_is_that_of_all_layers_together():
    assert spec("protocol=gps", "data.name=zinc").settings.train.epochs == 2000


def test_null_takes_it_back():
    Path("base.yaml").write_text(f"{SPEC}protocol: gps\n")
    found = load_spec("base.yaml", ["protocol=null"]).settings
    assert (found.protocol, found.train.clip) == (None, None)


@pytest.mark.parametrize(
    "overrides", [(), ("train.clip=null",), ("train.optimizer.weight_decay=null",), ("train.seeds=null",)]
)
def test_the_resolved_spec_reads_back(overrides):
    made = spec("protocol=gps", *overrides)
    again = parse_spec(made.text)
    assert again.settings == made.settings
    assert again.text == made.text


@pytest.mark.parametrize(
    ("overrides", "message", "cure"),
    [
        (["protocol=gsp"], "unknown protocol `gsp`", "write `gps`"),
        (["protocol=zzz"], "unknown protocol `zzz`", "known: `benchmarking-gnns`, `gps`"),
        (["protocol=gps", "data.name=cora"], "says nothing of the data set `cora`", "`pattern`"),
        (["protocol=gps", "data=null"], "says nothing of a spec that names no data", "`pattern`"),
    ],
)
def test_problems(overrides, message, cure):
    with pytest.raises(SpecError) as caught:
        spec(*overrides)
    (problem,) = caught.value.diagnostics
    assert (problem.code, problem.span is not None) == ("E0046", True)
    assert message in problem.message
    assert cure in problem.help


def test_departures_are_told():
    made = spec("protocol=gps", "train.epochs=7", "train.optimizer.amsgrad=true", "train.seeds=null", "train.seed=3")
    found = protocol.departures(made)
    assert found == [Departure("train.epochs", 7, 100), Departure("train.optimizer.amsgrad", True, None)]
    assert protocol.departures(spec()) == []
    assert protocol.departures(spec("protocol=gps", "train.seeds=null", "train.seed=77")) == [
        Departure("train.seeds", None, list(range(10)))
    ]


def result(*overrides: str, data) -> dict:
    """What `done.json` would say."""
    return {"protocol": json.loads(json.dumps(describe(spec(*overrides), data)))}


@pytest.mark.parametrize(
    ("override", "fields"),
    [
        ("train.epochs=9", []),
        ("train.optimizer.lr=0.1", []),
        ("train.seed=9", []),
        ("model.sizes.d=9", []),
        ("train.loss=cross_entropy", ["loss"]),
        ("train.monitor=accuracy", ["metric", "selection"]),
        ("train.monitor=loss", ["selection"]),
        ("train.select=last", ["selection"]),
        ("train.averaging=batch", ["averaging"]),
        ("data.seed=1", ["data_seed"]),
        ("data.limit=null", ["limit"]),
        ("data.options={shared_patterns: false}", ["options.shared_patterns"]),
        ("protocol=gps", []),
    ],
)
def test_what_is_part_of_a_protocol(cache, override, fields):
    data = task(cache).data
    one, other = result(data=data), result(override, data=data)
    assert [found.field for found in differences(one, other) if found.field != "options"] == fields
    assert (one["protocol"]["hash"] == other["protocol"]["hash"]) == (not fields)


def test_the_hash_is_of_the_fields_in_any_order():
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1}) != digest({"a": 1, "b": 3})


def test_a_result_without_a_protocol_is_not_taken_for_the_same(cache):
    found = differences({}, result(data=task(cache).data))
    assert str(found[0]) == "protocol not recorded and not none"
    assert differences({}, {}) == []


def by_hand(evaluator: Evaluator, size: int) -> dict[str, float]:
    """Means over batches of the loss and of the mean recall of the classes, in plain torch."""
    accs, losses, split = [], [], evaluator.task.data.test
    evaluator.module.eval()
    for first in range(0, len(split), size):
        batch = split.batch(range(first, min(first + size, len(split))))
        with torch.no_grad():
            logits, y = evaluator.module(batch), batch.y
        recalls = [(logits.argmax(1)[y == c] == c).double().mean() for c in (0, 1)]
        weight = torch.tensor([(y != c).double().mean() for c in (0, 1)], dtype=torch.float32)
        accs.append(sum(recalls) / 2)
        losses.append(torch.nn.functional.cross_entropy(logits, y, weight))
    return {"acc": float(sum(accs) / len(accs)), "loss": float(sum(losses) / len(losses))}


@pytest.mark.parametrize("size", [5, 7])
def test_means_over_batches(cache, size):
    evaluator = Evaluator(task(cache, averaging="batch", eval_batch_size=size), CPU.device)
    found = evaluator.scores(evaluator.task.data.test, lambda: None)
    wanted = by_hand(evaluator, size)
    assert {name: found[name] for name in wanted} == pytest.approx(wanted, rel=1e-6)
    whole = Evaluator(task(cache, eval_batch_size=size), CPU.device)
    assert abs(whole.scores(whole.task.data.test, lambda: None)["loss"] - wanted["loss"]) > 1e-6


def test_means_over_batches_are_kept_in_the_middle_of_an_epoch(cache, tmp_path):
    whole = start(cache, tmp_path / "whole", averaging="batch")
    with pytest.raises(Interrupted):
        start(cache, tmp_path / "run", Stops(signal.SIGINT, 1, 3), averaging="batch")
    assert differing(whole, resume(cache, tmp_path / "run", averaging="batch")) == []
