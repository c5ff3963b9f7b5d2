"""Graphs of PyG from `.pt` files, which may hold nothing else unless they are trusted; PyG is imported here alone."""

import pickle
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from archspec.data.raw import Array, Raw, Spot
from archspec.data.read import array, labelled
from archspec.diagnostics import Diagnostic, SpecError

ARRAYS = ("edge_index", "x", "edge_attr", "pos", "edge_label_index", "train_mask", "val_mask", "test_mask")

UNSAFE = re.compile(r"GLOBAL (\S+)")


def read(files: Mapping[str, Sequence[Path]], trust: bool) -> dict[str, list[Raw]]:
    """The graphs of every split, of its files in their order. Raises SpecError: E0415, E0417, E0418."""
    problems: list[Diagnostic] = []
    found: dict[str, list[Raw]] = {}
    for split, paths in files.items():
        found[split] = []
        for path in paths:
            try:
                found[split] += graphs_of(loaded(path, trust), str(path))
            except SpecError as problem:
                problems += problem.diagnostics
    if problems:
        raise SpecError(problems)
    return found


def loaded(path: Path, trust: bool) -> Any:
    """What a file holds. Raises SpecError: E0415 it asks for something else than tensors and graphs, E0417."""
    import torch

    try:
        with only([*allowed(), (empty, "collections.defaultdict")]):
            return torch.load(path, map_location="cpu", weights_only=not trust)
    except Exception as problem:  # a damaged file raises whatever its bytes ask for
        if isinstance(problem, pickle.UnpicklingError) and not trust and (asked := UNSAFE.search(str(problem))):
            raise SpecError([refused(path, asked[1])]) from problem
        said = str(problem).partition("\n")[0].replace("\x1b[1m", "").replace("\x1b[0m", "")
        message = f"the file cannot be read: {type(problem).__name__}: {said[:200]}"
        cure = "write it with `torch.save` once more"
        raise SpecError([Diagnostic("E0417", message, path=str(path), help=cure)]) from problem


@contextmanager
def only(classes: Sequence[Any]) -> Iterator[None]:
    """Let files of tensors ask for these classes and no others, whatever was allowed before."""
    from torch.serialization import add_safe_globals, clear_safe_globals, get_safe_globals

    before = get_safe_globals()
    clear_safe_globals()
    add_safe_globals([*classes])
    try:
        yield
    finally:
        clear_safe_globals()
        add_safe_globals(before)


def allowed() -> list[Any]:
    """The classes that graphs of PyG are made of."""
    from torch_geometric.data import Data
    from torch_geometric.data.data import DataEdgeAttr, DataTensorAttr
    from torch_geometric.data.storage import AttrType, BaseStorage, EdgeStorage, GlobalStorage, NodeStorage

    storages = (BaseStorage, GlobalStorage, NodeStorage, EdgeStorage)
    return [Data, DataEdgeAttr, DataTensorAttr, *storages, AttrType]


def empty(*_default: object) -> dict[Any, Any]:
    """In place of a `defaultdict`, which torch cannot read back and `RandomLinkSplit` leaves in graphs."""
    return {}


def refused(path: Path, asked: str) -> Diagnostic:
    """E0415: something that could run a program."""
    return Diagnostic(
        "E0415",
        f"the file asks for `{asked}`, which is neither a tensor nor a graph of PyG",
        path=str(path),
        notes=("loading anything else can run any program that whoever made the file has put there",),
        help="save plain `Data` with tensors and numbers, or add `--trust` if the file is your own",
    )


def graphs_of(content: Any, path: str, among: str = "") -> list[Raw]:
    """The graphs in what was loaded: one, or a list. Raises SpecError E0418 for anything else."""
    if is_graph(content):
        return [raw(content, path, f"graph 0{among}")]
    if isinstance(content, str | bytes | Mapping) or not hasattr(content, "__len__"):
        raise SpecError([no_graphs(content, path, "")])
    graphs = [content[number] for number in range(len(content))] if hasattr(content, "__getitem__") else list(content)
    strange = [(number, one) for number, one in enumerate(graphs) if not is_graph(one)]
    if strange:
        raise SpecError([no_graphs(one, path, f"graph {number}{among}: ") for number, one in strange])
    return [raw(one, path, f"graph {number}{among}") for number, one in enumerate(graphs)]


def is_graph(value: Any) -> bool:
    """Whether something is a PyG graph with one kind of nodes and of edges."""
    from torch_geometric.data import Data

    return isinstance(value, Data)


def no_graphs(value: Any, path: str, words: str) -> Diagnostic:
    """E0418: something else than graphs."""
    kind = type(value)
    message = f"{words}found {kind.__module__}.{kind.__qualname__}, where a graph belongs"
    cure = "graphs are `torch_geometric.data.Data`, one or a list of them"
    return Diagnostic("E0418", message, path=path, help=cure)


def raw(graph: Any, path: str, words: str) -> Raw:
    """A graph as arrays; without x, positions or edges its nodes are counted as PyG does."""
    spot = Spot(path, words)
    found: dict[str, Any] = {name: plain(value) for name in ARRAYS if (value := getattr(graph, name, None)) is not None}
    if (y := labelled(graph)) is not None:
        found["y"] = plain(y)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that nodes are counted by edges
        nodes = int(graph.num_nodes or 0)
    return Raw(lambda _name, _row: spot, nodes, **{"edge_index": np.zeros(0), **found})


def plain(value: Any) -> Array:
    """A tensor, or numbers in place of one, as an array that NumPy has a type for."""
    import torch

    tensor = torch.as_tensor(value).detach()
    return array(tensor.float() if tensor.dtype in (torch.bfloat16, torch.float16) else tensor)


def splits_of(content: Any, path: str) -> Iterator[tuple[str, list[Raw]]]:
    """The splits in what a function returned: a dictionary of them, or all graphs."""
    if isinstance(content, dict):
        for split, graphs in content.items():
            yield split, graphs_of(graphs, path, f" of {split}")
    else:
        yield "all", graphs_of(content, path)
