"""Modules that archspec did not write: convolutions of PyG and classes of the user's, made and called."""

import importlib
import inspect
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn

from archspec.runtime.batch import Batch


class Unknown(Exception):
    """There is no such class; `known` are those there are."""

    def __init__(self, message: str, known: Iterable[str] = ()):
        super().__init__(message)
        self.known = tuple(known)


def pyg(name: str, inputs: int, outputs: int, edges: int, /, **options: object) -> nn.Module:
    """A convolution of `torch_geometric.nn`.

    Where its constructor has them and they are not among the options, it is given `in_channels` and `channels` (the
    width of its first operand), `out_channels` (that of its result) and `edge_dim` (that of its operand per edge, if
    there is one: 0 is none). Raises Unknown, and whatever the constructor raises.
    """
    from torch_geometric import nn as convolutions

    kind = getattr(convolutions, name, None)
    if not inspect.isclass(kind) or not issubclass(kind, nn.Module):
        found = [one for one, value in vars(convolutions).items() if inspect.isclass(value)]
        raise Unknown(f"torch_geometric.nn has no class {name}", found)
    given = {"in_channels": inputs, "channels": inputs, "out_channels": outputs} | (
        {"edge_dim": edges} if edges else {}
    )
    taken = set(inspect.signature(kind).parameters) - set(options)
    return marked(kind(**{key: value for key, value in given.items() if key in taken}, **options))


def marked(module: nn.Module) -> nn.Module:
    """The module with a sign that tells it from archspec's own: comparisons leave it in evaluation mode."""
    module.made_elsewhere = True  # type: ignore[assignment]
    return module


def python(target: str, /, **options: object) -> nn.Module:
    """The class of `package.module:Class`, made with the options and nothing else; the current folder counts too.

    Raises Unknown, TypeError where it is no nn.Module, and whatever importing it and its constructor raise.
    """
    where, _, name = target.partition(":")
    module = imported(where)
    kind = getattr(module, name, None)
    if not inspect.isclass(kind):
        found = [one for one, value in vars(module).items() if inspect.isclass(value)]
        raise Unknown(f"the module {where} has no class {name}", found)
    if not issubclass(kind, nn.Module):
        raise TypeError(f"{target} is no torch.nn.Module")
    return marked(kind(**options))


def imported(name: str) -> object:
    """A module on Python's path, or in the current folder."""
    sys.path.append(str(Path.cwd()))
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as problem:
        if problem.name is None or not f"{name}.".startswith(f"{problem.name}."):
            raise
        raise Unknown(f"there is no module {name}") from problem
    finally:
        sys.path.pop()


@cache
def arguments(kind: Any) -> tuple[str, ...]:
    """What the forward of a class takes."""
    return tuple(inspect.signature(kind.forward).parameters)[1:]


def call_pyg(module: nn.Module, batch: Batch, *operands: Tensor) -> Tensor:
    """The module on a batch: operands fill the arguments of its forward in order, `edge_index` and `batch` aside.

    Operands are [nodes, features] and [edges, features]; `edge_weight` gets [edges]. Row 0 of `edge_index` holds the
    sources j, row 1 the targets i, in the order of N; `batch` is the graph of every node. Raises TypeError where it
    takes fewer operands, and whatever the module raises.
    """
    given: dict[str, Tensor] = {}
    waiting = list(operands)
    for name in arguments(cast(Any, type(module))):
        if name == "edge_index":
            given[name] = edge_index(batch)
        elif name == "batch":
            given[name] = batch.graph
        elif waiting:
            operand = waiting.pop(0)
            given[name] = operand.squeeze(-1) if name == "edge_weight" else operand
    if waiting:
        raise TypeError(f"it takes {len(operands) - len(waiting)} of the {len(operands)} operands")
    return module(**given)


def edge_index(batch: Batch) -> Tensor:
    """Sources and targets of the edges, made once a batch. [2, edges]"""
    if "edge_index" not in batch.cache:
        batch.cache["edge_index"] = torch.stack([batch.N.index, batch.N.target])
    return batch.cache["edge_index"]  # type: ignore[return-value]


def call_python(module: nn.Module, batch: Batch, *operands: Tensor) -> Tensor:
    """The module on its operands in order, [rows, features] each, and on the batch if its forward has that argument."""
    extra = {"batch": batch} if "batch" in arguments(cast(Any, type(module))) else {}
    return module(*operands, **extra)
