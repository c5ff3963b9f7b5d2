"""`archspec overfit`: the measure of every kind of task, the three verdicts, and the command on known specs."""

import math

import pytest
import torch

from archspec.commands import main
from archspec.data.floor import degree_floor
from archspec.data.load import load
from archspec.facts.table import TABLE
from archspec.syntax.schema import DataSettings
from archspec.train.overfit.attempt import Attempt
from archspec.train.overfit.measure import Labels, degrees, labels_of
from archspec.train.overfit.verdict import CHANCE, MEMORISES, THRESHOLD, Verdict
from tests.training import GRAPHS


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("graphs")


def one_hot(*classes: int, of: int) -> torch.Tensor:
    return torch.nn.functional.one_hot(torch.tensor(classes), of).double()


LABELS = {
    "classification": Labels("classification", one_hot(0, 0, 0, 1, of=2)),
    "multi-label": Labels("multi-label", torch.tensor([[1.0, math.nan], [0, 1], [0, 0], [1, 0]])),
    "regression": Labels("regression", torch.tensor([[1.0, 5], [2, 5], [3, 5], [math.nan, 5]])),
}


@pytest.mark.parametrize(
    ("kind", "prediction", "score"),
    [
        ("classification", [[2, 1], [2, 1], [1, 2], [1, 2]], (2 / 3 + 1) / 2),
        ("classification", [[2, 1]] * 4, 0.5),
        ("multi-label", [[3, 0], [-1, 3], [-1, -1], [1, 1]], (1 + 0.75) / 2),
        ("regression", [[1, 5], [2, 5], [3, 5], [7, 5]], 1.0),
        ("regression", [[2, 0], [2, 0], [2, 0], [2, 0]], 0.0),
        ("regression", [[3, 0], [2, 0], [1, 0], [2, 0]], -3.0),
    ],
)
def test_the_measure_by_hand(kind, prediction, score):
    assert LABELS[kind].score(torch.tensor(prediction, dtype=torch.float32)) == pytest.approx(score)


@pytest.mark.parametrize(("kind", "chance"), [("classification", 0.5), ("multi-label", 0.5), ("regression", 0.0)])
def test_chance(kind, chance):
    labels = LABELS[kind]
    assert labels.chance == chance
    assert labels.threshold(torch.zeros(4)) == chance


def test_a_threshold_by_hand():
    quantity = torch.tensor([0.1, 0.4, 0.2, 0.3])
    assert LABELS["classification"].threshold(quantity) == pytest.approx((2 / 3 + 1) / 2)
    assert Labels("regression", torch.tensor([[1.0], [3], [1], [3]])).threshold(quantity) == pytest.approx(1.0)
    assert Labels("multi-label", torch.tensor([[0.0], [1], [0], [1]])).threshold(quantity) == pytest.approx(1.0)


def test_the_threshold_is_that_of_the_floor(cache):
    data = load(DataSettings(name="pattern", limit=GRAPHS), cache)
    batch = data.train.batch(range(len(data.train)))
    found = labels_of(data.facts, batch.y).threshold(degrees(data.facts, batch))
    exact = degree_floor(data).scores["train"][0]
    assert exact - 0.003 < found <= exact + 1e-9


def test_degrees_of_graphs_edges_and_nodes(cache):
    data = load(DataSettings(name="pattern", limit=GRAPHS), cache)
    batch = data.train.batch(range(3))
    node = degrees(TABLE["pattern"], batch)
    by_hand = [int(n) / (batch.sizes[at] - 1) for n, at in zip(batch.N.count, batch.graph, strict=True)]
    assert node.tolist() == pytest.approx(by_hand)
    graph = degrees(TABLE["csl"], batch)
    assert graph.tolist() == pytest.approx([float(node[batch.graph == at].mean()) for at in range(3)])


def made(*scores: float, training: float | None = None) -> Verdict:
    """The verdict on scores beside a threshold that reaches 0.8."""
    labels = LABELS["classification"]
    return Verdict(
        [
            Attempt(k, one, one if training is None else training, 0.8, labels, 4, None, ())
            for k, one in enumerate(scores)
        ]
    )


@pytest.mark.parametrize(
    ("scores", "word"),
    [
        ((0.99, 0.98, 0.97), MEMORISES),
        ((0.90, 0.90), MEMORISES),
        ((0.89, 0.89), THRESHOLD),
        ((0.56, 0.56), THRESHOLD),
        ((0.55, 0.55), CHANCE),
        ((0.50, 0.99, 0.99), MEMORISES),
        ((math.nan,), CHANCE),
    ],
)
def test_verdicts(scores, word):
    verdict = made(*scores)
    assert verdict.word == word
    assert f"verdict: {word}" in list(verdict.text())


def test_what_is_said_beside_a_verdict():
    assert any("seeds disagree" in line for line in made(0.5, 0.99, 0.99).text())
    assert not any("seeds disagree" in line for line in made(0.98, 0.99, 0.99).text())
    assert any("better than the threshold" in line for line in made(0.85).text())
    assert not any("better than the threshold" in line for line in made(0.7).text())
    assert any("in training mode" in line for line in made(0.6, training=0.99).seen())
    assert not list(made(0.99).seen())


SPEC = """
name: small
model:
  sizes: {d: 24}
  input: x = encode(x, d)
  stack: 2 * layer
  output: OUTPUT
  where:
    layer: x = x + relu(batch_norm(linear(SUM, d)))
data: DATA
train: {optimizer: {name: sgd, lr: 7.0}}
"""
SPECS = {
    "nodes": ("linear(x, out)", "x + sum[j in N](x[j])", "{name: pattern}"),
    "blind": ("linear(x, out)", "x", "{name: pattern}"),
    "graphs": ("linear(mean[i in V](x[i]), out)", "x + sum[j in N](x[j])", "{name: csl}"),
}


@pytest.fixture
def call(cache, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ARCHSPEC_CACHE", str(cache))

    def called(name: str, *arguments: str) -> tuple[int, str, str]:
        output, near, data = SPECS[name]
        text = SPEC.replace("OUTPUT", output).replace("SUM", near).replace("DATA", data)
        (tmp_path / "small.yaml").write_text(text)
        with pytest.raises(SystemExit) as leaving:
            main.run(["overfit", "small.yaml", *arguments])
        return leaving.value.code, *capsys.readouterr()

    return called


def test_a_model_that_sees_degrees_memorises(call):
    code, out, err = call("nodes", "--graphs", "4", "--steps", "240", "--lr", "0.01", "--seeds", "1")
    assert (code, err) == (0, "")
    assert "verdict: memorises" in out
    assert "4 graphs of pattern as one batch, 240 steps of adam, lr 0.01, cosine" in out


def test_a_model_that_sees_letters_alone_is_at_chance(call):
    code, out, _ = call("blind", "--graphs", "8", "--steps", "60", "--lr", "0.01", "--seeds", "1")
    assert code == 1
    assert "verdict: chance" in out
    assert "‖g‖/‖w‖" in out


def test_what_sums_alone_cannot_tell_apart_is_at_chance(call):
    """CSL: all nodes of all graphs have the same degree (Murphy et al. 2019)."""
    code, out, _ = call("graphs", "--graphs", "8", "--steps", "40", "--seeds", "1")
    assert code == 1
    assert "verdict: chance" in out


def test_a_model_that_diverges_says_where(call):
    code, out, _ = call(
        "nodes", "--graphs", "4", "--steps", "40", "--seeds", "1", "--set", "train.optimizer={name: sgd, lr: 1e30}"
    )
    assert code == 1
    assert "diverged: " in out
    assert "the first that is not finite is" in out
    assert "verdict: chance" in out
