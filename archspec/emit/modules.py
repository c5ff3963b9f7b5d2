"""The lines of a section's constructor: its weights as torch modules and parameters, named after the text."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from math import prod, sqrt

from archspec.emit.expressions import number, text
from archspec.emit.layout import sizes
from archspec.ir.nodes import Node, Program, Section, is_shared
from archspec.ir.ops import OPERATIONS
from archspec.ir.weights import Weight


def linear(node: Node, weights: tuple[Weight, ...]) -> str:
    """torch.nn.Linear."""
    outputs, inputs = weights[0].shape
    return f"nn.Linear({inputs}, {outputs}{'' if len(weights) > 1 else ', bias=False'})"


def embedding(node: Node, weights: tuple[Weight, ...]) -> str:
    """torch.nn.Embedding."""
    rows, features = weights[0].shape
    return f"nn.Embedding({rows}, {features})"


def norm(name: str) -> Callable[[Node, tuple[Weight, ...]], str]:
    """A norm over so many features."""
    return lambda node, weights: f"{name}({weights[0].shape[0]})"


def parameter(node: Node, weights: tuple[Weight, ...]) -> str:
    """A tensor filled with its initial value, or drawn as the weight of a linear map."""
    if node["init"] == "fan_in":
        bound = number(1 / sqrt(weights[0].shape[-1]))
        return f"nn.Parameter(torch.empty({weights[0].shape}).uniform_(-{bound}, {bound}))"
    return f"nn.Parameter(torch.full({weights[0].shape}, {number(float(node['init']))}))"  # type: ignore[arg-type]


def foreign(node: Node, weights: tuple[Weight, ...]) -> str:
    """A module that archspec did not write; it gets the widths it is used with."""
    given = [text(node["target"])]
    if node["kind"] == "pyg":
        per_edge = [operand.type for operand in node.operands if operand.type.domain.kind == "pair"]
        given += [str(prod(sizes(type.axes))) for type in (node.operands[0].type, node.type)]
        given.append(str(prod(sizes(per_edge[0].axes))) if per_edge else "0")
    given += [f"{key}={text(value)}" for key, value in node["options"]]  # type: ignore[attr-defined]
    return f"{node['kind']}({', '.join(given)})"


CONSTRUCTORS: Mapping[str, Callable[[Node, tuple[Weight, ...]], str]] = {
    "linear": linear,
    "linear_part": linear,
    "embed": embedding,
    "batch_norm": norm("nn.BatchNorm1d"),
    "layer_norm": norm("nn.LayerNorm"),
    "rms_norm": norm("nn.RMSNorm"),
    "graph_norm": norm("GraphNorm"),
    "parameter": parameter,
    "foreign": foreign,
    "average": lambda node, weights: f"Average({', '.join(map(str, weights[0].shape))})",
}
"""How the weights of each operation are made; its weights in the IR and those of the module agree, a test says."""


def constructor_lines(section: Section) -> Iterator[str]:
    """`self.mlp = nn.Module()`, `self.mlp.linear = nn.Linear(64, 64)`, …, each path once, shared ones left out."""
    return made_at((node.path, node) for node in section.nodes if node.path and not is_shared(node.path))


def shared_lines(program: Program) -> Iterator[str]:
    """The same for what the model shares, below `shared`."""
    nodes = (node for _, section in program.sections() for node in section.nodes if is_shared(node.path))
    return made_at((node.path.partition(".")[2], node) for node in nodes)


def made_at(nodes: Iterable[tuple[str, Node]]) -> Iterator[str]:
    """A module or parameter at every path, each path once."""
    made: set[str] = set()
    for path, node in nodes:
        if path in made:
            continue
        steps = path.split(".")
        for depth in range(1, len(steps)):
            around = ".".join(steps[:depth])
            if around not in made:
                made.add(around)
                yield f"self.{around} = nn.Module()"
        made.add(path)
        yield f"self.{path} = {CONSTRUCTORS[node.op](node, OPERATIONS[node.op].weights(node))}"
