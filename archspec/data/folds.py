"""Cross-validation: which graphs of a data set train, validate and test in a fold."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archspec.data.packed import Packed
from archspec.data.random import Purpose, Stream

FOLDS = 10
"""Folds of a data set that comes without: a tenth tests, the next tenth validates, the others train."""

Parts = dict[str, NDArray[np.int64]]


def parts(name: str, packed: Packed, fold: int, seed: int) -> Parts:
    """The numbers of the graphs of each split in a fold, in ascending order."""
    if name in PUBLISHED:
        val, test = (np.isin(np.arange(packed.graphs), list(map(int, one.split()))) for one in PUBLISHED[name][fold])
        return divided(test, val)
    return dealt(packed.y if packed.level == "graph" else np.zeros((packed.graphs, 0)), fold, seed)


def dealt(y: NDArray[Any], fold: int, seed: int) -> Parts:
    """Ten folds of what carries labels y, drawn with a seed; where they are classes, a fold has its share of each."""
    order = Stream(seed, Purpose.FOLDS).permutation(len(y))
    if y.ndim == 1:
        order = order[np.argsort(y[order], kind="stable")]
    number = np.empty(len(y), dtype=np.int64)  # the fold in which one tests
    number[order] = np.arange(len(y)) % FOLDS
    return divided(number == fold, number == (fold + 1) % FOLDS)


def some(graphs: NDArray[np.int64], limit: int | None, seed: int) -> NDArray[np.int64]:
    """At most so many of these graphs, drawn with a seed, since sets of folds are often sorted by class; in order."""
    if limit is None or limit >= len(graphs):
        return graphs
    return np.sort(graphs[Stream(seed, Purpose.FOLDS, 1).permutation(len(graphs))[:limit]])


def divided(test: NDArray[np.bool_], val: NDArray[np.bool_]) -> Parts:
    """The numbers of the graphs that test, that validate, and of the rest."""
    return {"train": np.flatnonzero(~(test | val)), "val": np.flatnonzero(val), "test": np.flatnonzero(test)}


CSL = (
    (
        "111 79 135 129 80 52 98 53 3 127 16 17 32 102 13 105 106 0 38 64 65 96 19 77 143 147 60 33 56 131",
        "9 10 14 23 26 27 35 39 40 47 50 57 66 70 71 75 82 83 91 93 94 107 110 117 130 132 133 136 140 142",
    ),
    (
        "126 136 90 26 98 54 104 77 71 113 106 40 110 144 14 41 146 47 13 86 121 133 88 34 57 27 64 19 68 7",
        "1 4 5 16 21 24 32 33 38 46 48 52 62 72 73 79 80 85 97 101 102 108 109 111 123 127 129 143 147 149",
    ),
    (
        "39 88 68 26 29 67 90 0 2 111 113 142 117 122 71 53 41 101 103 49 31 52 140 130 82 5 28 85 121 147",
        "7 11 12 17 20 25 34 43 44 45 54 59 64 65 69 76 77 86 95 99 100 105 116 118 124 126 128 138 139 144",
    ),
    (
        "50 71 119 141 23 138 42 64 40 105 75 63 89 53 4 129 38 117 101 147 122 52 17 14 11 86 28 132 93 99",
        "0 2 13 15 19 22 31 36 41 55 56 58 61 67 68 78 81 88 92 96 104 106 113 115 121 125 131 137 145 146",
    ),
    (
        "86 121 146 2 12 39 96 19 117 94 71 81 104 65 4 54 118 50 59 69 75 132 140 31 43 22 137 115 126 27",
        "3 6 8 18 28 29 30 37 42 49 51 53 60 63 74 84 87 89 90 98 103 112 114 119 120 122 134 135 141 148",
    ),
)
"""Validation and test graphs of the five folds of CSL in graphdeeplearning/benchmarking-gnns (MIT licence)."""

PUBLISHED: Mapping[str, tuple[tuple[str, str], ...]] = {"csl": CSL, "csl_released": CSL}
"""Data sets whose folds are published, each fold as the numbers of the graphs that validate and that test."""
