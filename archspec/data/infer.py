"""What the labels of a packed data set are for, found out from the labels; with that, its facts."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archspec.data.divide import divide
from archspec.data.folds import FOLDS, PUBLISHED
from archspec.data.measure import measured
from archspec.data.packed import Packed
from archspec.data.read import Unfit
from archspec.facts import Facts
from archspec.facts.table import Letters
from archspec.syntax.schema import DataSettings


def facts_of(
    name: str, packed: Mapping[str, Packed], benchmark: tuple[str, str] | None, task: str | None = None
) -> Facts:
    """The facts of a data set, everything measured; the kind of task too, where it is not given.

    Raises Unfit for labels that are of no use.
    """
    first = next(iter(packed.values()))
    kind, out = kind_of([one.y for one in packed.values()])
    letters, features = alphabet([one.x for one in packed.values()])
    edge_letters, edge_features = alphabet([one.e for one in packed.values() if one.e is not None])
    base = Facts(
        name=name,
        task=f"{first.level} {task or kind}",
        out=out,
        letters=letters,
        features=features,
        nodes=0.0,
        edges=0.0,
        max_nodes=0,
        density=0.0,
        padding=1.0,
        symmetric=True,
        self_loops=False,
        repeated_edges=False,
        graphs={},
        edge_letters=edge_letters,
        edge_features=edge_features,
        positions=None if first.pos is None else first.pos.shape[1],
        benchmark=benchmark,
        folds=folds_of(name, packed),
    )
    return measured(base, divide(dict(packed), base, DataSettings(name=name)))


def folds_of(name: str, packed: Mapping[str, Packed]) -> int | None:
    """How many ways to split it there are."""
    whole = packed.get("all")
    if whole is None:
        return None
    if whole.mask is None:
        return len(PUBLISHED[name]) if name in PUBLISHED else FOLDS
    return whole.mask.shape[1] if whole.mask.shape[1] > 1 else None


def kind_of(labels: Sequence[NDArray[Any]]) -> tuple[str, int]:
    """The kind of task and the width of a prediction."""
    if labels[0].ndim == 1:
        return "classification", max(2, 1 + max(int(one.max(initial=0)) for one in labels))
    known = np.unique(np.concatenate([np.unique(one[~np.isnan(one)]) for one in labels]))
    if not len(known):
        raise Unfit("has no label that is known")
    if np.isinf(known).any():
        raise Unfit("has labels that are not finite")
    return "multi-label" if set(known.tolist()) <= {0.0, 1.0} else "regression", labels[0].shape[1]


def alphabet(columns: Sequence[NDArray[Any]]) -> tuple[Letters | None, int | None]:
    """How many letters there are, or how many numbers a row; neither without a column.

    Of several columns of letters, how many there are in each.
    """
    if not columns:
        return None, None
    if columns[0].dtype.kind == "f":
        return None, columns[0].shape[1]
    most = np.max([one.max(axis=0, initial=0) for one in columns], axis=0) + 1
    return (int(most) if most.ndim == 0 else tuple(most.tolist())), None
