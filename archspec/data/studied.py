"""The graphs of the receptive field study as data sets: does a model fit what its encodings can tell apart?

A palindrome is the same graph in every split, and so is a pyramid with its pairs: nothing is drawn, and what is not
told apart stays wrong however long one trains. On the nodes of a pyramid one node of each colour is revealed, and
colours are named at random, as in `archspec.data.colouring`; graph g of a split depends on (seed, split, g) alone.
"""

from collections.abc import Iterator, Mapping

from archspec.data.colouring import CHUNK, draw, of_pairs
from archspec.data.packed import Packed, joined
from archspec.data.plain import packed, palindrome, pyramid
from archspec.data.random import Purpose, Stream

VERSION = 1
"""Counts changes of the generated bits."""

ONE: Mapping[str, int] = {"train": 1, "val": 1, "test": 1}
GRAPHS: Mapping[str, int] = {"train": 200, "val": 50, "test": 50}
"""Graphs of the task on the nodes of pyramids."""


def palindromes(_seed: int, _split: str, _graphs: int, nodes: int = 4) -> Iterator[Packed]:
    """The path, with the labels of its nodes."""
    yield packed(palindrome(nodes))


def palindrome_pairs(_seed: int, _split: str, _graphs: int, nodes: int = 4) -> Iterator[Packed]:
    """The path, and whether the nodes of each ordered pair have one label."""
    yield of_pairs(palindrome(nodes))


def pyramids(seed: int, split: str, graphs: int, base: int = 10) -> Iterator[Packed]:
    """The first so many graphs of a split, in chunks: y the colour of every node, x that of three nodes plus 1."""
    for start in range(0, graphs, CHUNK):
        numbers = range(start, min(start + CHUNK, graphs))
        streams = [Stream(seed, Purpose.PYRAMID_SEEDS, list(GRAPHS).index(split), number) for number in numbers]
        yield joined([packed(draw(stream, base)) for stream in streams])


def pyramid_pairs(_seed: int, _split: str, _graphs: int, base: int = 10) -> Iterator[Packed]:
    """The pyramid, and whether the nodes of each ordered pair have one colour."""
    yield of_pairs(pyramid(base))
