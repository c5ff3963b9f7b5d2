"""Splits that share one graph: all of it is seen, and the labels of some nodes, edges or pairs count."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from archspec.data.packed import PARTS
from archspec.data.split import Split

if TYPE_CHECKING:  # as in `split`
    from archspec.runtime.batch import Batch


class Whole(Split):
    """A split of one graph, cut once: the batch is shared, and with it what is computed for it and kept."""

    @cached_property
    def only(self) -> Batch:
        """The graph."""
        return super().batch([0])


class Masked(Split):
    """The labels of one graph that count in a part: "train", "val" or "test", of the fold of this number.

    Its batches share their tensors with those of the other parts and must not be changed.
    """

    def __init__(self, whole: Whole, part: str, fold: int):
        super().__init__(whole.packed, whole.symmetric)
        assert whole.packed.mask is not None  # else it would be no masked split
        self.whole = whole
        self.mask: NDArray[np.bool_] = (whole.packed.mask[:, fold] & PARTS[part]) != 0  # [rows]

    @property
    def labels(self) -> NDArray[Any]:
        """The labels that count."""
        return self.packed.y[self.mask]

    def batch(self, indices: ArrayLike | Sequence[int]) -> Batch:
        """The graph. Raises IndexError for anything but [0]."""
        if np.asarray(indices).tolist() != [0]:
            raise IndexError(f"there is one graph, number 0, and not {indices!r}")
        import torch

        return replace(self.whole.only, mask=torch.from_numpy(self.mask))
