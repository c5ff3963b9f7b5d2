"""The receptive field study: what walk encodings can tell apart, and how many pairs they reach at all."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archspec.structure.exact import Neighbours, encodings

Labels = NDArray[np.int64]


@dataclass(frozen=True)
class Field:
    """What receptive field R sees of pairs, nodes or graphs: the encoding of a pair (i, j) is its entries in the powers
    0 … R of D⁻¹A.
    """

    field: int
    """R."""
    distinct: int
    """How many encodings occur, the all-zero one included."""
    ambiguous: int
    """How many encodings, the all-zero one left out, occur with different labels."""
    ambiguous_items: int
    """How many pairs, nodes or graphs have these."""
    covered: int
    """How many have an encoding that is not all zero."""
    items: int
    """All of them; of one graph all ordered pairs, a node with itself included."""
    best: int
    """How many are right where every encoding is given the label that it has most often."""
    example: tuple[int, int] | None
    """Two with one encoding and different labels, of the ambiguous one that fewest have; None without."""


def receptive(near: Neighbours, same: NDArray[np.bool_], fields: Collection[int]) -> Iterator[Field]:
    """The receptive fields asked for, in ascending order; `same` [nodes, nodes] says what is to be told apart."""
    labels = same.reshape(-1).astype(np.int64)
    for encoded in encodings([near], max(fields)):
        if encoded.field in fields:
            yield seen(encoded.field, encoded.classes, labels, encoded.covered)


def seen(field: int, classes: NDArray[np.int64], labels: Labels, covered: NDArray[np.bool_]) -> Field:
    """The figures of one receptive field: encodings as numbers from 0, labels from 0, whether one is not all zero."""
    kinds = int(labels.max(initial=0)) + 1
    size = np.bincount(classes)
    both, often = np.unique(classes * kinds + labels, return_counts=True)
    different = np.bincount(both // kinds, minlength=len(size))
    mixed = different > 1
    mixed[classes[~covered]] = False  # the all-zero one
    most = np.zeros(len(size), dtype=np.int64)
    np.maximum.at(most, both // kinds, often)
    numbers = np.flatnonzero(mixed)
    return Field(
        field,
        int((size > 0).sum()),
        len(numbers),
        int(size[numbers].sum()),
        int(covered.sum()),
        len(labels),
        int(most.sum()),
        example(classes, labels, int(numbers[size[numbers].argmin()])) if len(numbers) else None,
    )


def example(classes: NDArray[np.int64], labels: Labels, number: int) -> tuple[int, int]:
    """The first of a class, and the first with another label; the one of the larger label comes first."""
    inside = np.flatnonzero(classes == number)
    other = inside[np.flatnonzero(labels[inside] != labels[inside[0]])[0]]
    first, second = sorted((int(inside[0]), int(other)), key=lambda one: -labels[one])
    return first, second


def of_multisets(parts: list[NDArray[np.int64]], known: dict[bytes, int]) -> NDArray[np.int64]:
    """A number for every multiset of numbers, equal where the multisets are; those of other calls are in `known`."""
    return np.array([known.setdefault(np.sort(part).tobytes(), len(known)) for part in parts], dtype=np.int64)
