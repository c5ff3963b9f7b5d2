"""One node to the text of one Python expression: a function for each kind of operation, in a table."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from archspec.emit.layout import aligned, flattened, lead, sizes, unflattened, weight
from archspec.ir.nodes import Node
from archspec.ir.ops import OPERATIONS, STRUCTURE
from archspec.ir.types import ALL, IndexSet
from archspec.ir.weights import columns
from archspec.passes.schedule import Choice

ATOM = 10
"""Binding of a name, a call or a number: never in need of brackets."""

BINDING: Mapping[str, int] = {"add": 1, "sub": 1, "mul": 2, "div": 2, "neg": 3, "pow": 4}
"""How tightly operators bind."""


@dataclass(frozen=True)
class Text:
    """The text of a value and how tightly its outermost operator binds."""

    text: str
    binding: int = ATOM

    def at_least(self, binding: int) -> str:
        """The text, in brackets where its operator binds less tightly."""
        return self.text if self.binding >= binding else f"({self.text})"

    @property
    def atom(self) -> str:
        """The text as the object of a method."""
        return self.at_least(ATOM)


@dataclass(frozen=True)
class Site:
    """What the text of a node needs: its operands' texts, its form, and the names of index sets."""

    node: Node
    operands: Sequence[Text]
    choice: Choice | None
    sets: Mapping[IndexSet, str]

    @property
    def types(self) -> list:
        """Types of the operands."""
        return [operand.type for operand in self.node.operands]

    def tensor(self, index: int) -> Text:
        """An operand where torch takes tensors alone: a number becomes one."""
        text, node = self.operands[index], self.node.operands[index]
        return Text(f"torch.tensor({text.text}, dtype=dtype, device=device)") if node.op == "constant" else text

    def tensors(self) -> list[Text]:
        """All operands as tensors."""
        return [self.tensor(index) for index in range(len(self.operands))]

    def over(self) -> str:
        """The Python name of the node's index set."""
        chosen = self.node["over"]
        assert isinstance(chosen, IndexSet)
        return self.sets[chosen]

    def read_from(self) -> str:
        """The Python name of the set on whose pairs the first operand lives."""
        outer = self.node.operands[0].type.domain.over
        assert outer is not None
        return self.sets[outer]


def number(value: object) -> str:
    """A number as Python text."""
    text = repr(value)
    return {"inf": "torch.inf", "-inf": "-torch.inf", "nan": "torch.nan"}.get(text, text)


def text(value: object) -> str:
    """A number or a text as Python, in double quotes."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else number(value)


def constant(site: Site) -> Text:
    """A number; negative ones bind like a minus sign."""
    text = number(site.node["value"])
    return Text(text, BINDING["neg"] if text.startswith("-") else ATOM)


def elementwise(site: Site) -> Text:
    """Operands aligned to the result's axes, put into the row's template."""
    row, node = OPERATIONS[site.node.op], site.node
    binding = BINDING.get(node.op, 0)
    texts = [operand_text(site, index, binding) for index in range(len(site.operands))]
    if node.op == "pow" and all(map(SIMPLE.fullmatch, texts)):
        return Text("**".join(texts), BINDING["pow"])
    options = {key: number(value) for key, value in node.attributes}
    return Text(row.torch.format(*texts, **options), BINDING.get(node.op, ATOM))


SIMPLE = re.compile(r"-?[\w.]+")
"""Names and numbers, which stand close around `**`, as formatters want it."""


def operand_text(site: Site, index: int, binding: int) -> str:
    """An operand aligned and, within an operator, bracketed; a number inside a function of torch becomes a tensor."""
    operand, node = site.operands[index], site.node.operands[index]
    if node.op == "constant":
        alone = index == 0 and all(one.op == "constant" for one in site.node.operands)
        needs_tensor = not binding and (alone or not is_comparison(site.node.op))
        return site.tensor(index).text if needs_tensor else operand.at_least(binding + (index > 0))
    text = aligned(operand.atom, node.type, site.node.type.axes)
    if text != operand.atom:
        return text
    if site.node.op == "pow":
        return operand.at_least(binding + 1)
    return operand.at_least(binding + (index > 0)) if binding else operand.text


def is_comparison(op: str) -> bool:
    """Whether an operation compares; those take numbers as they are, beside a tensor."""
    return op in ("lt", "le", "gt", "ge", "eq", "ne")


def inner(site: Site) -> Text:
    """The product of both, aligned, summed over the contracted axis, which is put last."""
    left, right = site.types
    axes = (*site.node.type.axes, right.axes[-1])
    a, b = (aligned(one.atom, type, axes) for one, type in zip(site.operands, (left, right), strict=True))
    return Text(f"({a} * {b}).sum(-1)")


def reduction(function: str) -> Callable[[Site], Text]:
    """A runtime function of a set and a value on its pairs."""
    return lambda site: Text(f"{function}({site.over()}, {site.operands[0].text})")


def total(site: Site) -> Text:
    """A sum over pairs; of one number it is a multiple of how many there are."""
    [operand] = site.node.operands
    if operand.op != "spread" or not site.operands[0].text.startswith("torch.full("):
        return reduction("segment_sum")(site)
    value = number(operand.operands[0]["value"])
    count = f"{site.over()}.count.to(dtype)"
    return Text(count) if value in ("1", "1.0") else Text(f"{value} * {count}", BINDING["mul"])


def maximum(site: Site) -> Text:
    """The larger of two; of a count of pairs and a whole number without a tensor for the number."""
    left, right = (operand.text for operand in site.operands)
    counted, dot, kind = left.rpartition(".to(dtype)")
    if counted.endswith(".count") and not kind and right.isdigit():
        return Text(f"{counted}.clamp(min={right}){dot}")
    return elementwise(site)


def restrict(site: Site) -> Text:
    """A value on the pairs of a larger set, read on a smaller one."""
    return Text(f"restrict({site.over()}, {site.read_from()}, {site.operands[0].text})")


def fill(site: Site) -> Text:
    """A value on the pairs of a set, read on all pairs, a number or a parameter where it has none."""
    value, absent = (
        aligned(text.atom, node.type, site.node.type.axes)
        for text, node in zip(site.operands, site.node.operands, strict=True)
    )
    return Text(f"fill({site.sets[ALL]}, {site.read_from()}, {value}, {absent})")


def chance(site: Site) -> Text:
    """Which pairs stay, decided by chance in training."""
    return Text(f"chance({site.over()}, {number(site.node['p'])}, self.training)")


def gather_cross(site: Site) -> Text:
    """A value on V, read at k and j of triples."""
    return Text(f"gather_cross({site.over()}, {site.sets[ALL]}, {site.operands[0].text})")


def spread(site: Site) -> Text:
    """A constant as a row per pair."""
    operand = site.operands[0]
    if site.node.operands[0].op == "constant":
        return Text(f"torch.full((len({site.over()}),), {operand.text}, dtype=dtype, device=device)")
    return Text(
        f"{operand.atom}.expand(len({site.over()}){''.join(f', {size}' for size in sizes(site.node.type.axes))})"
    )


def concat(site: Site) -> Text:
    """Joined along the last axis; constants are repeated for every row."""
    operands = site.tensors()
    rows = next((one.atom for one, type in zip(operands, site.types, strict=True) if lead(type)), "")
    parts = []
    for operand, type in zip(operands, site.types, strict=True):
        text = operand.atom if type.axes else f"{operand.atom}.unsqueeze(-1)"
        if rows and not lead(type):
            text = f"{text}.expand({rows}.shape[0]{', -1' * max(1, len(type.axes))})"
        parts.append(text)
    return Text(f"torch.cat([{', '.join(parts)}], -1)")


def view(site: Site) -> Text:
    """Other axes over the same entries."""
    dims = [*(["-1"] * lead(site.node.type)), *map(str, sizes(site.node.type.axes))]
    return Text(f"{site.tensor(0).atom}.reshape({', '.join(dims) or '()'})")


def linear(site: Site) -> Text:
    """All feature axes in, the result's axes out."""
    operand = site.tensor(0)
    text = flattened(operand.atom, site.types[0]) if len(site.types[0].axes) != 1 else operand.text
    return Text(unflattened(f"{weight(site.node)}({text})", site.node.type.axes))


def linear_part(site: Site) -> Text:
    """Some columns of the weight, and the bias in one of the parts."""
    node = site.node
    start, stop = columns(node)
    every = (start, stop) == (0, node["inputs"])
    operand = site.tensor(0)
    text = flattened(operand.atom, site.types[0]) if len(site.types[0].axes) != 1 else operand.text
    part = "" if every else f"[:, {start}:{stop}]"
    bias = f", {weight(node)}.bias" if node["adds_bias"] else ""
    mapped = f"F.linear({text}, {weight(node)}.weight{part}{bias})"
    return Text(unflattened(mapped, node.type.axes))


def embed(site: Site) -> Text:
    """A row per category."""
    return Text(unflattened(f"{weight(site.node)}({site.operands[0].text})", site.node.type.axes))


def norm(function: str, of_batch: bool = False) -> Callable[[Site], Text]:
    """A runtime norm of a value and its module."""
    first = "batch, " if of_batch else ""
    return lambda site: Text(f"{function}({first}{site.operands[0].text}, {weight(site.node)})")


def foreign(site: Site) -> Text:
    """A module that archspec did not write, on operands [rows, features]."""
    node = site.node
    flat = [
        flattened(one.text if len(type.axes) == 1 else one.atom, type)
        for one, type in zip(site.tensors(), site.types, strict=True)
    ]
    called = f"call_{node['kind']}({', '.join([weight(node), 'batch', *flat])})"
    return Text(unflattened(called, node.type.axes))


def fused(site: Site) -> Text:
    """The chosen form's function."""
    assert site.choice is not None
    form, node = site.choice.form, site.node
    operands = [operand.text for operand in site.operands]
    if node.op == "pair_matmul":
        parts = zip(site.operands, site.types, strict=True)
        operands = [aligned(operand.atom, type, node.type.axes) for operand, type in parts]
    arguments = ["batch"] * form.needs_batch + [site.over(), *operands]
    if node.op == "attention":
        arguments.insert(5, number(node["scale"]))
    return Text(f"{form.function}({', '.join(arguments)})")


def data(site: Site) -> Text:
    """Raw features, or one of several columns of categories."""
    column = site.node.get("column")
    return Text(f"batch.{site.node['name']}" + ("" if column is None else f"[:, {column}]"))


def parameter(site: Site) -> Text:
    """A tensor of its own."""
    return Text(weight(site.node))


def structure(site: Site) -> Text:
    """What the graph alone gives."""
    node = site.node
    function = f"{node.type.domain.kind}_{node.op}"
    listed = [str(node[key]) for key in ("numbers", "count") if node.get(key) is not None]
    training = ["self.training"] * (node.op == "laplacian_pe")
    pairs = [f"pairs={site.over()}"] if node.get("over") else []
    return Text(f"{function}({', '.join(['batch', *listed, *training, *pairs, 'dtype=dtype'])})")


EXPRESSIONS: Mapping[str, Callable[[Site], Text]] = {
    "constant": constant,
    "parameter": parameter,
    "data": data,
    "average": lambda site: Text(f"{weight(site.node)}({site.operands[0].text})"),
    **{row.name: structure for row in STRUCTURE},
    **{name: elementwise for name, row in OPERATIONS.items() if row.torch},
    "maximum": maximum,
    "inner": inner,
    "gather_source": reduction("gather_source"),
    "gather_target": reduction("gather_target"),
    "gather_cross": gather_cross,
    "transpose": reduction("transpose"),
    "chance": chance,
    "restrict": restrict,
    "fill": fill,
    "spread": spread,
    "sum": total,
    "mean": reduction("segment_mean"),
    "max": reduction("segment_max"),
    "min": reduction("segment_min"),
    "std": reduction("segment_std"),
    "logsumexp": reduction("segment_logsumexp"),
    "softmax": reduction("segment_softmax"),
    "concat": concat,
    "view": view,
    "linear": linear,
    "linear_part": linear_part,
    "embed": embed,
    "batch_norm": norm("batch_norm"),
    "layer_norm": norm("layer_norm"),
    "rms_norm": norm("rms_norm"),
    "foreign": foreign,
    "graph_norm": norm("graph_norm", of_batch=True),
    **dict.fromkeys(("neighbour_sum", "weighted_sum", "pair_product", "pair_matmul", "attention"), fused),
}
"""Every operation but `state`, which is an argument of the method."""
