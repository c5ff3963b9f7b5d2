"""What is watched while a model trains: nothing changes by it, figures are those of torch, faults are told."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.optim import SGD

from archspec.commands.opening import assemble, completed
from archspec.data.batching import BatchSampler
from archspec.syntax.load import parse_spec
from archspec.train import run
from archspec.train.display import Silent
from archspec.train.engine import Diverged, Engine
from archspec.train.folder import RunFolder
from archspec.train.health import failure
from archspec.train.health.flips import FIRST, Recalls
from archspec.train.health.gradients import WARM, Gradients
from archspec.train.health.monitor import Monitor
from archspec.train.health.signs import SIGNS
from archspec.train.health.trace import trace
from archspec.train.health.twin import Twin, first_graphs
from archspec.train.interrupt import Interrupted
from archspec.train.tally import Tally
from archspec.train.task import Task
from tests.training import CPU, Stops, untimed

SPEC = """
name: watched
model:
  sizes: {d: 8, heads: 2, c: d / heads}
  input: x = encode(x, d)
  stack: 2 * layer
  output: linear(x, out)
  where:
    layer: |
      h = x + gate(x) + attend(x)
      x = batch_norm(dropout(relu(linear(h, d)), 0.1))
    gate(x): |
      g = sigmoid(linear(x, d))
      g * sum[j in N](x[j])
    attend(x): |
      q, k, v = linear(x, heads, c), linear(x, heads, c), linear(x, heads, c)
      a = softmax[j in V](q[i] @ k[j] / sqrt(c))
      sum[j](a[i,j] * v[j]) -> linear(d)
data: {name: pattern, batch_size: 8, limit: 22}
train: {epochs: 3, seed: 5, optimizer: {lr: 0.01}, watch: {every: 1}}
"""


@pytest.fixture(scope="module")
def cache(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("graphs")


def task(cache: Path, text: str = SPEC, *settings: tuple[str, str]) -> Task:
    """The task of a spec, after replacements in its text."""
    for old, new in settings:
        assert old in text
        text = text.replace(old, new)
    return assemble(completed(parse_spec(text, "watched.yaml"), cache, Silent()), cache, Silent())


def start(made: Task, path: Path, display: Silent | None = None) -> RunFolder:
    """Train in a new folder."""
    return run.start(made, path, CPU, display or Silent(), {})


def faults(folder: RunFolder) -> list[tuple[str, str]]:
    """What was told, by sign and name."""
    return [(one["sign"], one["name"]) for one in folder.events()]


@pytest.fixture(scope="module")
def watched(cache, tmp_path_factory) -> RunFolder:
    return start(task(cache), tmp_path_factory.mktemp("runs") / "watched")


def without_health(folder: RunFolder) -> list[dict]:
    return [{key: value for key, value in one.items() if key != "health"} for one in untimed(folder.records())]


def test_watching_changes_no_bit(cache, watched, tmp_path):
    """Dropout, batch norms and the order of graphs are the same with a look at every step and with none."""
    plain = start(task(cache, SPEC, ("every: 1", "every: null")), tmp_path / "plain")
    assert without_health(plain) == without_health(watched)
    assert plain.weights("last").read_bytes()[-1000:] == watched.weights("last").read_bytes()[-1000:]
    assert plain.records()[0]["health"]["looks"] == 0
    assert watched.records()[0]["health"]["looks"] == watched.records()[0]["steps"] == 3


def test_the_comparison_can_tell_a_difference(cache, watched, tmp_path):
    other = start(task(cache, SPEC, ("0.1)", "0.11)")), tmp_path / "other")
    assert without_health(other) != without_health(watched)


@pytest.mark.parametrize("step", [1, 2])
def test_a_resumed_run_records_the_same_health(cache, watched, tmp_path, step):
    with pytest.raises(Interrupted):
        start(task(cache), tmp_path / "cut", Stops(2, 1, step))
    cut = run.resume(task(cache), RunFolder(tmp_path / "cut"), CPU, Silent())
    assert untimed(cut.records()) == untimed(watched.records())
    assert cut.events() == watched.events()


def test_figures_of_parameters_are_those_of_torch(cache):
    """Norms of gradients, weights and steps against plain subtraction and torch.linalg, with clipping after them."""
    made = task(cache, SPEC, ("watch:", "clip: 0.001, watch:"))
    engine = Engine(made, torch.device("cpu"))
    engine.optimizer = SGD(made.module.parameters(), lr=0.1)
    (batch, *_) = map(made.data.train.batch, BatchSampler(made.data.train, made.batch_size, 1, 5).epoch(0))
    before = {name: one.detach().clone() for name, one in made.module.named_parameters()}
    kept = torch.get_rng_state()
    made.module.train()
    engine.step(batch, 0, Tally(engine.kind))
    after = dict(made.module.named_parameters())
    found = engine.watch.next_epoch({}, 1, 1)["parameters"]
    twin = task(cache)
    torch.set_rng_state(kept)
    twin.module.load_state_dict(before, strict=False)
    twin.module.train()
    engine.kind.loss(engine.kind.entries(twin.module(batch), batch.y), batch.y).backward()
    for name, one in twin.module.named_parameters():
        weight, gradient = (float(torch.linalg.vector_norm(value)) for value in (before[name], one.grad))
        step = float(torch.linalg.vector_norm(after[name].detach() - before[name]))
        assert found[name]["gradient"] == pytest.approx(gradient, rel=1e-3, abs=1e-7)
        assert found[name]["weight"] == pytest.approx(weight, rel=1e-3)
        if weight == 0:
            assert found[name]["ratio"] is found[name]["update"] is None
            continue
        assert found[name]["ratio"] == pytest.approx(gradient / weight, rel=1e-3, abs=1e-7)
        assert found[name]["update"] == pytest.approx(step / weight, rel=1e-3, abs=1e-7)
    known = [row for row in found.values() if row["ratio"]]
    assert 0 < sum(row["update"] for row in known) < 0.01 * sum(row["ratio"] for row in known)  # clipped


def test_figures_of_values_are_those_of_the_equations(cache):
    """Mean, deviation, gates and entropy against the formulas, worked out node by node."""
    made = task(cache, SPEC, ("dropout(relu(linear(h, d)), 0.1)", "relu(linear(h, d))"))
    engine = Engine(made, torch.device("cpu"))
    batch = made.data.train.batch(range(4))
    seen: dict[str, torch.Tensor] = {}
    twin, places = engine.watch.shown
    made.module.train()
    twin(batch, lambda name, value, over: seen.update({name: value.detach()}))
    with torch.no_grad():
        look = engine.watch.look(batch, [], [])
    numbers = look.seen.numbers()
    assert places["layers.0.gate.g"]["kind"] == "sigmoid"
    gate = seen["layers.0.gate.g"]
    assert numbers["layers.0.gate.g"]["mean"] == pytest.approx(float(gate.mean()), abs=1e-6)
    assert numbers["layers.0.gate.g"]["std"] == pytest.approx(float(gate.std(correction=0)), abs=1e-6)
    assert numbers["layers.0.gate.g"]["low"] == float((gate < 0.01).double().mean())
    weights, at, shares = seen["layers.1.attend.a"], 0, []
    for size in batch.sizes:
        for _ in range(size):
            row = weights[at : at + size].double()
            assert row.sum(0) == pytest.approx(torch.ones(2).numpy(), abs=1e-5)
            shares.append(-(row * row.log()).sum(0).mean() / math.log(size))
            at += size
    assert numbers["layers.1.attend.a"]["entropy"] == pytest.approx(float(sum(shares)) / len(shares), abs=1e-5)
    assert numbers["layers.1.relu"]["dead"] == float((seen["layers.1.relu"] == 0).all(0).double().mean())


def test_places_are_lines_of_the_spec(watched):
    places = json.loads(watched.places.read_text())
    records = watched.records()
    assert set(places["parameters"]) == set(records[-1]["health"]["parameters"])
    assert set(places["values"]) == set(records[-1]["health"]["values"])
    lines = SPEC.splitlines()
    for place in (*places["parameters"].values(), *places["values"].values()):
        assert place["text"] == " ".join(lines[place["line"] - 1].split())
    assert places["parameters"]["layers.1.gate.linear.weight"]["definition"] == "gate"
    assert places["parameters"]["layers.1.linear.weight"]["definition"] == "layer"
    assert places["values"]["layers.0.attend.a"]["definition"] == "attend"


def test_definitions_are_their_parameters_together(watched):
    health = watched.records()[-1]["health"]
    assert {"input", "layers.0", "layers.0.gate", "layers.1.attend", "output"} == set(health["definitions"]) - {
        *("layers.0.attend", "layers.1", "layers.1.gate")
    }
    members = [row for name, row in health["parameters"].items() if name.startswith("layers.0.gate.")]
    assert len(members) == 2
    gate = health["definitions"]["layers.0.gate"]
    for figure in ("gradient", "weight"):
        assert gate[figure] == pytest.approx(math.hypot(*(row[figure] for row in members)), rel=1e-3)
    assert gate["ratio"] == pytest.approx(gate["gradient"] / gate["weight"], rel=1e-3)


def test_what_is_watched_can_be_chosen(cache, tmp_path):
    chosen = "watch: {every: 2, parameters: [layers.0.gate.*], values: [layers.1.attend.*]}"
    done = start(task(cache, SPEC, ("watch: {every: 1}", chosen)), tmp_path / "run")
    health = done.records()[0]["health"]
    assert set(health["parameters"]) == {"layers.0.gate.linear.weight", "layers.0.gate.linear.bias"}
    assert {"layers.1.attend.a", "layers.1.attend.linear"} <= set(health["values"])
    assert all(name.startswith("layers.1.attend.") for name in health["values"])
    assert [one["health"]["looks"] for one in done.records()] == [2, 1, 2]  # steps 0 and 2, 4, 6 and 8


def test_the_twin_computes_what_the_module_does(cache):
    made = task(cache)
    text, _ = made.equations.text(lambda node, name: True)
    twin, batch = Twin(made.module, text, "all"), made.data.train.batch(range(5))
    names: list[str] = []
    for training in (True, False):
        made.module.train(training)
        before = {name: one.clone() for name, one in made.module.state_dict().items()}
        state = torch.get_rng_state()
        found = twin(batch, lambda name, value, over: names.append(name))
        assert torch.equal(state, torch.get_rng_state())
        assert all(torch.equal(one, before[name]) for name, one in made.module.state_dict().items())
        torch.testing.assert_close(found, made.module(batch))
    assert set(names) == set(made.equations.operands())


def test_the_first_graphs_of_a_batch_are_those_alone(cache):
    made = task(cache)
    whole, sizes = made.data.train.batch(range(6)), made.data.train.batch(range(6)).sizes
    part = first_graphs(whole, sum(sizes[:3]) + 1)
    assert part.sizes == sizes[:3]
    alone = made.data.train.batch(range(3))
    made.module.eval()
    assert torch.equal(made.module(part), made.module(alone))
    assert first_graphs(whole, 1).graphs == 1
    assert first_graphs(whole, 10**6) is whole


def test_a_healthy_run_says_nothing(watched):
    assert watched.events() == []


HEALTHY = "name: healthy\nmodel:\n  sizes: {d: 8}\n  input: x = encode(x, d)\n"
TAIL = """data: {name: pattern, batch_size: 4, limit: 24}
train: {epochs: 6, seed: 1, optimizer: {name: sgd, lr: LR}, watch: {every: 1}}
"""


def faulty(stack: str, *layer: str, lr: str = "0.01") -> str:
    """A spec of one kind of layer."""
    lines = "".join(f"      {line}\n" for line in layer)
    model = f"  stack: {stack}\n  output: linear(x, out)\n  where:\n    layer: |\n{lines}"
    return HEALTHY + model + TAIL.replace("LR", lr)


PLANTED = {
    "vanishing": (faulty("12 * layer", "x = sigmoid(linear(x, d))"), "layers."),
    "dead": (faulty("2 * layer", "x = x + relu(linear(x, d) - 9)"), "layers.0.relu"),
    "saturated": (faulty("2 * layer", "x = x * sigmoid(90 * linear(x, d) + 90)"), "layers."),
    "concentrated": (
        faulty(
            "1 * layer",
            "h = x + sum[j in N](x[j])",
            "a = softmax[j in V](9 * (h[i] @ h[j]))",
            "x = x + sum[j](a[i,j] * x[j])",
        ),
        "layers.0.a",
    ),
    "uniform": (
        faulty("1 * layer", "a = softmax[j in V](x[i] @ x[j] / 1e6)", "x = x + sum[j](a[i,j] * x[j])"),
        "layers.0.a",
    ),
}


MORE = {"saturated": ("explosion",), "dead": ("vanishing",)}
"""What comes with a fault."""


@pytest.mark.parametrize("sign", PLANTED)
def test_a_planted_fault_is_told_at_its_place(cache, tmp_path, sign):
    text, name = PLANTED[sign]
    folder = start(task(cache, text), tmp_path / "run")
    [event, *_] = [one for one in folder.events() if one["sign"] == sign]
    assert event["name"].startswith(name)
    assert event["place"]["text"] in " ".join(text.split())
    assert event["value"] is None or event["value"] > SIGNS[sign].threshold
    assert {one["sign"] for one in folder.events()} <= {sign, *MORE.get(sign, ())}


def test_what_is_usual_is_the_geometric_mean_of_the_last_steps():
    gradients, draw = Gradients(["heavy", "light", "frozen"]), np.random.default_rng(0)
    sizes = np.exp(draw.normal(size=(WARM + 5, 2))) * [100, 0.1]
    found = [gradients.add([0, 1], row) for row in sizes.tolist()]
    assert found[:WARM] == [None] * WARM
    for step, measure in enumerate(found[WARM:], WARM):
        usual = float(np.exp(np.log(sizes[:step, 0]).mean()))
        assert measure.name == "heavy"  # the light one has no share in an explosion
        assert measure.more["usual"] == pytest.approx(usual)
        assert measure.value == pytest.approx(sizes[step, 0] / usual)
    record = gradients.next_epoch()
    assert set(record) == {"heavy", "light"}
    assert record["light"]["gradient_max"] == pytest.approx(sizes[:, 1].max(), rel=1e-3)
    assert gradients.next_epoch() == {}


def test_a_gradient_that_is_zero_at_first_does_not_explode():
    gradients = Gradients(["zero"])
    assert [gradients.add([0], [size]) for size in [0.0] * 30 + [1.0]] == [None] * 31


def test_an_explosion_is_told_once_with_the_first_parameter(cache, tmp_path):
    """Weights that are doubled at every step from the 26th on: gradients grow past their band long before infinity."""

    class Doubles(Silent):
        def step(self, state, loss, rate):
            if state.epoch * 6 + state.step > 26:
                for one in made.module.parameters():
                    one.data.mul_(2)

    text = faulty("2 * layer", "x = x + linear(sum[j in N](x[j]), d)", lr="1e-9")
    made = task(cache, text)
    folder = start(made, tmp_path / "run", Doubles())
    event = next(one for one in folder.events() if one["sign"] == "explosion")
    assert (event["epoch"], event["step"]) in ((5, one) for one in (4, 5, 6))
    assert event["name"] in dict(made.module.named_parameters())
    assert event["value"] > 100
    assert event["place"]["path"] == "watched.yaml"


@pytest.mark.parametrize(
    ("courses", "told"),
    [
        (([0.99, 0.70, 0.36], [0.20, 0.89, 0.99]), True),  # the notebook's three epochs
        (([0.05, 0.95, 0.05], [0.95, 0.05, 0.95]), True),
        (([0.80, 0.82, 0.85], [0.70, 0.78, 0.84]), False),
        (([0.99, 0.30, 0.20], [0.60, 0.62, 0.65]), False),  # one class moves alone
    ],
)
def test_flips_are_two_classes_that_move(courses, told):
    recalls, monitor, events = Recalls(), Monitor(), []
    for epoch, (one, other) in enumerate(zip(*courses, strict=True), FIRST):
        events += monitor.judge(recalls.add({"acc_0": one, "acc_1": other, "acc": 0.5}, epoch), epoch, 7)
    assert [one["sign"] for one in events] == ["flips"] * told
    if told:
        assert "0.99, 0.70, 0.36" in events[0]["message"] or "0.05, 0.95, 0.05" in events[0]["message"]


def overflow() -> str:
    return faulty("2 * layer", "s = exp(linear(x, d) * 900)", "x = x + s / sum[j in N](s[j])")


def test_the_first_equation_that_is_not_finite_is_named(cache, tmp_path):
    with pytest.raises(Diverged) as error:
        start(task(cache, overflow()), tmp_path / "run")
    folder = RunFolder(tmp_path / "run")
    [event] = folder.events()
    assert (event["sign"], event["name"]) == ("not finite", "layers.0.s")
    assert event["place"]["text"] == "s = exp(linear(x, d) * 900)"
    [said] = error.value.diagnostics
    assert any("`layers.0.s`" in note for note in said.notes)
    assert any(f"archspec replay {tmp_path / 'run'}" in note for note in said.notes)
    failed, weights = failure.read(folder.failure)
    again = task(cache, overflow())
    again.module.load_state_dict(weights)
    found = trace(again.module, again.equations, failed, Engine(again, torch.device("cpu")).loss_of)
    assert (found.first, found.backward) == ("layers.0.s", False)


def test_the_first_gradient_that_is_not_finite_is_named(cache, tmp_path):
    text = faulty("2 * layer", "y = x - x", "x = x + sqrt(sum[j in N](y[j]) * linear(x, d))")
    with pytest.raises(Diverged):
        start(task(cache, text), tmp_path / "run")
    [event] = RunFolder(tmp_path / "run").events()
    assert event["name"] == "layers.1.sqrt"
    assert "going back from the loss" in event["message"]


def test_a_norm_beyond_the_range_of_numbers_names_the_largest_gradient(cache, tmp_path):
    text = faulty("1 * layer", "x = x + linear(1e12 * sum[j in N](x[j]), d)")
    text = text.replace("linear(x, out)", "linear(1e12 * x, out)")
    with pytest.raises(Diverged) as error:
        start(task(cache, text), tmp_path / "run")
    assert "norm of the gradient became inf" in str(error.value)
    [event] = RunFolder(tmp_path / "run").events()
    assert event["name"] == "output.linear.weight"
    assert "has entries up to" in event["message"]


def test_infinite_distances_are_no_fault(cache, tmp_path):
    """What is infinite because no way leads there is passed over; the equation that makes a NaN of it is found."""
    text = faulty("1 * layer", "f = exp(-distance)", "x = x + log(sum[j in V](f[i,j] * x[j]))")
    with pytest.raises(Diverged):
        start(task(cache, text), tmp_path / "run")
    [event] = RunFolder(tmp_path / "run").events()
    assert event["name"] == "layers.0.log"
