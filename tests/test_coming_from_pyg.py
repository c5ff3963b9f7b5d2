"""The page for those who come from PyG: both versions of every layer, read from the page, agree in float64."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
import torch_geometric.utils as pyg_utils
from torch import Tensor, nn
from torch_geometric.nn import MessagePassing

from tests.graphs import BATCHES, SHAPES
from tests.parity.layers import HEADS, D, Row, of
from tests.parity.measure import Pair, compare, pair

PAGE = Path(__file__).resolve().parent.parent / "docs" / "coming-from-pyg.md"
TEXT = PAGE.read_text(encoding="utf-8")
CLASSES = re.findall(r"```python\n(class .*?)```", TEXT, re.DOTALL)
DEFINITIONS = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)

GIVEN = {
    **{"F": F, "nn": nn, "torch": torch, "MessagePassing": MessagePassing},
    **{name: getattr(pyg_utils, name) for name in ("add_self_loops", "remove_self_loops", "scatter", "softmax")},
    "to_dense_batch": pyg_utils.to_dense_batch,
}
"""What the classes of the page import."""

Run = Callable[[nn.Module, Tensor, Tensor, Tensor, Tensor], Tensor | tuple[Tensor, Tensor]]

CALLS: dict[str, tuple[str, str, Run]] = {
    "GIN": ("x", "gin(x)", lambda layer, x, e, edges, graph: layer(x, edges)),
    "GAT": ("x", "gat(x)", lambda layer, x, e, edges, graph: layer(x, edges)),
    "GatedGCN": ("x, e", "gated_gcn(x, e)", lambda layer, x, e, edges, graph: layer(x, e, edges)),
    "Attention": ("x", "attention(x)", lambda layer, x, e, edges, graph: layer(x, graph)),
    "GPS": ("x", "gps(x)", lambda layer, x, e, edges, graph: layer(x, edges, graph)),
}
"""By class: the states, the call, and how the class is called."""

SAME = (("mlp.linear_2.", "mlp.3."), ("mlp.linear.", "mlp.0."), ("mlp.batch_norm.", "mlp.1."),
        ("ffn.linear_2.", "ffn.2."), ("ffn.linear.", "ffn.0."))  # fmt: skip
"""What goes by its place in a Sequential of PyG's; everything else has one name in both."""


def classes(changed: tuple[str, str] = ("", "")) -> dict[str, type[nn.Module]]:
    """The classes of the page, with one text replaced by another."""
    made = dict(GIVEN)
    exec("\n\n".join(CLASSES).replace(*changed), made)  # the page's own text
    return {name: made[name] for name in CALLS}


def both(name: str, changed: tuple[str, str] = ("", "")) -> Pair:
    """The definition compiled, and the class with its weights."""
    states, call, run = CALLS[name]
    where = "".join(f"    {line}\n" for text in DEFINITIONS for line in text.splitlines())
    text = f"{call}\n{where}"
    layer = classes(changed)[name]
    own = call.partition("(")[0]
    weights = {theirs: of(ours(theirs, own)) for theirs in layer(D, HEADS).state_dict()}
    torch.manual_seed(0)
    return pair(Row(text, lambda: layer(D, HEADS), weights, run, states))


def ours(theirs: str, own: str) -> str:
    """Our name of a weight of PyG's."""
    for mine, other in SAME:
        theirs = theirs.replace(other, mine)
    return f"{own}.{theirs}"


def test_the_page_has_every_layer_twice() -> None:
    assert len(CLASSES) == len(DEFINITIONS) == len(CALLS)
    for name, (_, call, _) in CALLS.items():
        assert any(text.startswith(f"class {name}(") for text in CLASSES)
        assert any(text.startswith(f"{call}: |") for text in DEFINITIONS)


@pytest.mark.parametrize("training", [True, False], ids=["training", "evaluation"])
@pytest.mark.parametrize("name", CALLS)
def test_both_agree(name: str, training: bool) -> None:
    layers = both(name).train(training)
    for batch in ("everything", "repeated edges", "first and last without edges"):
        found = compare(layers, [SHAPES[shape] for shape in BATCHES[batch]])
        assert found.ok(1e-9), f"{batch}: {found}"


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        ("GIN", ("(1 + self.eps) * x", "(1 - self.eps) * x")),
        ("GAT", ("own_i + other_j, 0.2", "own_i + other_j, 0.1")),
        ("GatedGCN", ("edge_index[1], dim", "edge_index[0], dim")),
        ("Attention", ("mask[:, None, None, :]", "None")),
        ("GPS", ("self.batch_norm_3(h +", "self.batch_norm_3(x +")),
    ],
)
def test_a_difference_is_seen(name: str, changed: tuple[str, str]) -> None:
    assert changed[0] in TEXT
    found = compare(both(name, changed).train(True), [SHAPES[shape] for shape in BATCHES["everything"]])
    assert not found.ok(1e-9)
