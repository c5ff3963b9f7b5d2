"""Modules that archspec did not write, tried out before a module is built: what is wrong is told at its place.

Every one is made, and called on a graph of three nodes: its result must have the axes that the text declares.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from archspec.check.suggest import nearest
from archspec.diagnostics import Diagnostic, SpecError
from archspec.ir.nodes import Node, Program, full_name
from archspec.ir.weights import width

if TYPE_CHECKING:
    from torch import Tensor, nn

    from archspec.runtime.batch import Batch

Shapes = dict[str, tuple[int, ...]]

ROWS = {"constant": 0, "graph": 1, "node": 3, "pair": 4}
"""Rows of a value of every kind on the graph that is tried."""


def foreign_weights(program: Program) -> Shapes:
    """The parameters of modules that archspec did not write, by their names in `state_dict`.

    Raises SpecError: E0508 for a class that is not there, E0509 where it cannot be made, E0510 where it cannot be
    called as the text calls it or gives another shape. Torch's generator is as it was afterwards.
    """
    tried: dict[int, Shapes] = {}
    problems: list[Diagnostic] = []
    found: Shapes = {}
    for path, section in program.sections():
        for node in section.nodes:
            if node.op == "foreign":
                if id(node) not in tried:
                    tried[id(node)] = tried_out(node, problems)
                found |= {full_name(path, f"{node.path}.{name}"): shape for name, shape in tried[id(node)].items()}
    if problems:
        raise SpecError(problems)
    return found


def tried_out(node: Node, problems: list[Diagnostic]) -> Shapes:
    """The parameters of one module; problems are added."""
    import torch

    from archspec.runtime.foreign import Unknown

    title, module = label(node), None
    with torch.random.fork_rng(devices=[]):
        try:
            module = made(node)
            if problem := wrong_shape(node, called(node, module)):
                problems.append(Diagnostic("E0510", problem, node.span, help=f"declare what it gives: {title}"))
        except Unknown as error:
            cure = nearest(node["target"].rpartition(":")[2] or "", error.known) or "write another name"  # type: ignore[attr-defined]
            problems.append(Diagnostic("E0508", said(error), node.span, help=cure))
        except Exception as error:
            code, what = ("E0509", "made") if module is None else ("E0510", "called")
            message = f"{title} cannot be {what}: {said(error)}"
            problems.append(Diagnostic(code, message, node.span, help=CURES[code]))
    return {} if module is None else {name: tuple(one.shape) for name, one in module.named_parameters()}


CURES = {
    "E0509": "give it the options it needs; where one is no number, text or truth value, write a class: `python(…)`",
    "E0510": "call it with the values its `forward` takes, in its order",
}


def label(node: Node) -> str:
    """`pyg(GATConv)`."""
    return f"{node['kind']}({node['target']})"


def said(error: Exception) -> str:
    """The first line of a message, else the kind of error."""
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(error).__name__


def made(node: Node) -> nn.Module:
    """The module of a node."""
    from archspec.runtime import foreign

    options: Mapping[str, object] = dict(node["options"])  # type: ignore[call-overload]
    if node["kind"] == "python":
        return foreign.python(str(node["target"]), **options)
    return foreign.pyg(str(node["target"]), *widths(node), **options)


def widths(node: Node) -> tuple[int, int, int]:
    """Features of the first operand, of the result, and of the operand per edge (0: there is none)."""
    per_edge = [width(operand.type) for operand in node.operands if operand.type.domain.kind == "pair"]
    return width(node.operands[0].type), width(node.type), per_edge[0] if per_edge else 0


def called(node: Node, module: nn.Module) -> object:
    """What the module gives on random operands, without training."""
    import torch

    from archspec.runtime import foreign

    call = foreign.call_python if node["kind"] == "python" else foreign.call_pyg
    with torch.no_grad():
        return call(module.eval(), three_nodes(), *(operand(one) for one in node.operands))


def operand(node: Node) -> Tensor:
    """Random numbers [rows, features], or [features] of a constant."""
    import torch

    rows = ROWS[node.type.domain.kind]
    return torch.randn(*([rows] if rows else []), width(node.type))


def three_nodes() -> Batch:
    """A graph 0 - 1 - 2 with edges both ways."""
    import torch

    from archspec.runtime.batch import Batch, Pairs

    source = torch.tensor([1, 0, 2, 1], dtype=torch.int32)
    return Batch(
        torch.zeros(3, dtype=torch.int64), torch.tensor([0, 3]), Pairs(torch.tensor([0, 1, 3, 4]), source, True)
    )


def wrong_shape(node: Node, result: object) -> str:
    """What is wrong with a result, or ""."""
    import torch

    wanted = (ROWS[node.type.domain.kind], width(node.type))
    if not isinstance(result, torch.Tensor):
        return f"{label(node)} gives a {type(result).__name__}, not a tensor"
    if tuple(result.shape) == wanted:
        return ""
    if result.dim() == 2 and result.shape[0] == wanted[0]:
        return f"{label(node)} gives {result.shape[1]} features, and `axes` declares {wanted[1]}"
    return f"{label(node)} gives the shape {tuple(result.shape)} on {wanted[0]} rows, and `axes` declares {wanted}"
