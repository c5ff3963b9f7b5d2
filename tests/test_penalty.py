"""`penalty:`: modules give what the reference gives, and training adds it to the loss."""

import pytest
import torch
from torch.nn import functional as F

from archspec.commands.diff import checked
from archspec.compare.difference import differences
from archspec.compare.sources import Source
from archspec.equal.compare import compare
from archspec.pipeline import build
from archspec.syntax.load import parse_spec
from archspec.syntax.spec import Spec
from archspec.train.engine import Engine
from archspec.train.interrupt import Interrupted
from archspec.train.tally import Tally
from tests.checking import spec_text
from tests.compiling import CATEGORIES, of_spec
from tests.training import CPU, Stops, differing, resume, start, task

PENALTIES = {
    "a number": "0.25",
    "a weight of its own": "w = scalar(0.5)\nw ** 2",
    "a shared weight": "0.1 * gate(0.5) ** 2",
    "per graph": "mean[i in V](x @ x)",
    "over the layers": "1e-2 * sum(each(layers(x), h => max[i in V](linear(h[i]))))",
    "with a norm and dropout": "mean[i in V](dropout(relu(linear(batch_norm(x))), 0.5))",
}


def spec(penalty: str) -> Spec:
    return parse_spec(spec_text(layer="x = x + gate(0.5) * mlp(x)", where="gate: shared(scalar)", penalty=penalty))


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("name", PENALTIES)
def test_modules_compute_what_the_reference_does(name: str, training: bool) -> None:
    made = of_spec(spec(PENALTIES[name]), CATEGORIES)
    found = compare(made.built.module, made.built.program, made.graphs("everything"), made.weights, training)
    assert found.ok(), str(found)
    assert "penalty" in [one.name for one in found.tensors]


def test_the_comparison_sees_another_penalty() -> None:
    ours, other = (of_spec(spec(f"{factor} * mean[i in V](x @ x)"), CATEGORIES) for factor in (1, 2))
    found = compare(ours.built.module, other.built.program, ours.graphs("everything"), ours.weights)
    assert "penalty" in {one.name for one in found.beyond()}


def test_a_state_gathers_a_penalty() -> None:
    text = spec_text(
        input="x = encode(x, d)\np = 0 * mean[i in V](x @ x)",
        layer="a = softmax[j in V](linear(x, d)[j])\n"
        "x = x + mlp(x)\n"
        "p = p + mean[i in V](sum[j in V](a[i,j] @ a[i,j]))",
        penalty="p",
    )
    made = of_spec(parse_spec(text), CATEGORIES)
    assert compare(made.built.module, made.built.program, made.graphs("everything"), made.weights).ok()


def test_the_prediction_is_that_of_forward() -> None:
    made = of_spec(spec("mean[i in V](x @ x)"), CATEGORIES)
    graphs = Example.batch()
    prediction, penalty = made.built.module.with_penalty(graphs)
    assert torch.equal(made.built.module(graphs), prediction)
    assert penalty.shape == ()


def test_it_is_a_difference_of_specs() -> None:
    specs = [spec("0.5"), spec("mean[i in V](x @ x)")]
    old, new = (checked(Source("", one)) for one in specs)
    found = differences(old, new)
    assert [one.path for one in found.all_changes()] == ["penalty"]
    assert not found.same_architecture


# training


class Example:
    """A batch of two graphs."""

    @staticmethod
    def batch():
        from torch_geometric.data import Batch, Data

        edges = torch.tensor([[0, 1, 2], [1, 0, 1]])
        return Batch.from_data_list([Data(x=torch.tensor([0, 1, 2]), edge_index=edges) for _ in range(2)])


@pytest.fixture(scope="session")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("graphs")


def module():
    torch.manual_seed(1)
    return build(spec("0.3 * gate(0.5) ** 2 + mean[i in V](x @ x)")).module


def test_the_step_follows_loss_and_penalty(cache) -> None:
    made = task(cache, module=module(), optimizer={"name": "sgd", "lr": 0.01}, loss="cross_entropy")
    batch = made.data.train.batch(range(5))
    engine, other = Engine(made, CPU.device), module().train()
    engine.module.train()
    told = engine.step(batch, 0, Tally(engine.kind))
    prediction, penalty = other.with_penalty(batch)
    loss = F.cross_entropy(prediction, batch.y)
    (loss + penalty).backward()
    assert told.penalty == pytest.approx(penalty.item())
    assert told.loss == pytest.approx((loss + penalty).item())
    for ours, wanted in zip(engine.module.parameters(), other.parameters(), strict=True):
        assert torch.allclose(ours.grad, wanted.grad, atol=1e-6)


def test_metrics_have_it_and_a_resumed_run_ends_with_the_same_bits(cache, tmp_path) -> None:
    unbroken = start(cache, tmp_path / "unbroken", module=module(), epochs=2)
    assert all(record["penalty"] > 0.05 for record in unbroken.records())
    with pytest.raises(Interrupted):
        start(cache, tmp_path / "run", Stops(2, 1, 3), module=module(), epochs=2)
    made = resume(cache, tmp_path / "run", module=module(), epochs=2)
    assert differing(unbroken, made) == []
    assert "penalty" not in start(cache, tmp_path / "without", epochs=1).records()[0]
