"""The receptive field study: what the walk encodings of pairs can tell apart, and how many pairs they reach at all."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archspec.structure.exact import Encoded, Neighbours, encodings

Pair = tuple[int, int]


@dataclass(frozen=True)
class Field:
    """What receptive field R sees: the encoding of a pair (i, j) is its entries in the powers 0 … R of D⁻¹A."""

    field: int
    """R."""
    distinct: int
    """How many encodings occur, the all-zero one included."""
    ambiguous: int
    """How many encodings, the all-zero one left out, both same and different pairs have."""
    ambiguous_pairs: int
    """How many pairs have these."""
    covered: int
    """How many pairs have an encoding that is not all zero."""
    pairs: int
    """All ordered pairs, a node with itself included."""
    example: tuple[Pair, Pair] | None
    """A same and a different pair with the same encoding, of the ambiguous one that fewest pairs have; None without."""


def receptive(near: Neighbours, same: NDArray[np.bool_], fields: Collection[int]) -> Iterator[Field]:
    """The receptive fields asked for, in ascending order; `same` [nodes, nodes] says what is to be told apart."""
    flat = same.reshape(-1)
    for encoded in encodings(near, max(fields)):
        if encoded.field in fields:
            yield seen(encoded, flat)


def seen(encoded: Encoded, same: NDArray[np.bool_]) -> Field:
    """The figures of one receptive field."""
    count = np.bincount(encoded.classes, minlength=encoded.distinct)
    alike = np.bincount(encoded.classes[same], minlength=encoded.distinct)
    mixed = (alike > 0) & (alike < count)
    mixed[encoded.classes[~encoded.covered]] = False  # the all-zero one
    numbers = np.flatnonzero(mixed)
    return Field(
        encoded.field,
        encoded.distinct,
        len(numbers),
        int(count[numbers].sum()),
        int(encoded.covered.sum()),
        len(same),
        example(encoded, same, int(numbers[count[numbers].argmin()])) if len(numbers) else None,
    )


def example(encoded: Encoded, same: NDArray[np.bool_], number: int) -> tuple[Pair, Pair]:
    """The first same and the first different pair of a class that has both."""
    inside = encoded.classes == number
    nodes = round(len(same) ** 0.5)
    first, second = (divmod(int(np.flatnonzero(inside & of)[0]), nodes) for of in (same, ~same))
    return first, second
