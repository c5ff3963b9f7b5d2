"""ZINC's 12,000 molecules from one compressed file of arrays, in place of PyG's pickles.

`zinc12k.npz` holds for every split `n` atoms and `m` bonds of each molecule, the `atom` kinds, `bond` rows (one atom,
the other, kind), and `y`, all molecules one after another.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archspec.data.packed import Packed, offsets, smallest, sort_edges

FILE = "zinc12k.npz"


def there(folder: Path) -> bool:
    """Whether the file is in a folder of raw data."""
    return (folder / FILE).is_file()


def splits(folder: Path) -> Iterator[tuple[str, Packed]]:
    """The splits in the file: x the kind of an atom, e that of a bond, y one number for a molecule."""
    with np.load(folder / FILE) as arrays:
        for split in ("train", "val", "test"):
            yield split, packed({name: arrays[f"{split}_{name}"] for name in ("n", "m", "atom", "bond", "y")})


def packed(arrays: Mapping[str, NDArray[Any]]) -> Packed:
    """The molecules of a split; every bond stands in both directions."""
    sizes, bond = arrays["n"].astype(np.int32), arrays["bond"].astype(np.int64)
    first = offsets(sizes)[:-1]  # [molecules], the first atom of each
    atoms = bond[:, :2].T + np.repeat(first, arrays["m"])  # [2, bonds], numbered through all molecules
    order, degree, source = sort_edges(np.concatenate([atoms, atoms[::-1]], axis=1), len(arrays["atom"]))
    own = source - np.repeat(np.repeat(first, sizes), degree)  # numbered within their molecule
    return Packed(
        sizes,
        smallest(arrays["atom"]),
        arrays["y"].reshape(-1, 1).astype(np.float32),
        smallest(degree),
        smallest(own),
        smallest(np.tile(bond[:, 2], 2)[order]),
        level="graph",
    )
