"""Random numbers: bits that never change, streams that never meet, orders that are permutations."""

import hashlib

import numpy as np
import pytest

from archspec.data.random import Purpose, Stream, threshold
from archspec.diagnostics import SpecError

# Known answers of philox4x64-10 from the authors' library Random123: (counter, key, output), lowest word first.
ONES = 2**64 - 1
KNOWN = [
    ([0] * 4, [0] * 2, [0x16554D9ECA36314C, 0xDB20FE9D672D0FDC, 0xD7E772CEE186176B, 0x7E68B68AEC7BA23B]),
    ([ONES] * 4, [ONES] * 2, [0x87B092C3013FE90B, 0x438C3C67BE8D0224, 0x9CC7D7C69CD777B6, 0xA09CAEBF594F0BA0]),
]


def stream(*place: int) -> Stream:
    return Stream(0, Purpose.PATTERN_GRAPH, *place)


@pytest.mark.parametrize(("counter", "key", "output"), KNOWN)
def test_numpy_computes_philox(counter, key, output):
    number = sum(word << 64 * at for at, word in enumerate(counter))
    before = (number - 1) % 2**256  # NumPy counts up before the first block
    philox = np.random.Philox(key=np.array(key, np.uint64), counter=before)
    assert philox.random_raw(4).tolist() == output


def test_bits_are_pinned():
    drawn = [stream(1, 2).words(5), stream(1, 2).halves(5), stream(1, 2).integers(30, 50), stream(1, 2).permutation(50)]
    digest = hashlib.sha256(b"".join(part.astype("<i8").tobytes() for part in drawn)).hexdigest()[:16]
    assert digest == "7ab132d0c4f5b76b"


def test_halves_are_the_words_low_half_first():
    assert stream().halves(3).tolist() == [int(stream().words(1)[0]) % 2**32, *stream().halves(3)[1:].tolist()]
    assert stream().halves(2)[1] == stream().words(1)[0] >> np.uint64(32)


def test_streams_differ_in_every_part_of_their_name():
    names = [(0, 2, 0, 0), (1, 2, 0, 0), (0, 3, 0, 0), (0, 2, 1, 0), (0, 2, 0, 1), (0, 2, 1, 1)]
    first = {int(Stream(seed, Purpose(purpose), *place).words(1)[0]) for seed, purpose, *place in names}
    assert len(first) == len(names)


def test_integers_are_uniform():
    counts = np.bincount(stream().integers(30, 300_000), minlength=30)
    assert len(counts) == 30
    assert np.abs(counts - 10_000).max() < 5 * 100  # five standard errors


def test_bernoulli_has_its_probability():
    assert threshold(0.5) == 2**31
    share = stream().below(np.full(1_000_000, threshold(0.35), dtype=np.uint32)).mean()
    assert abs(share - 0.35) < 4 * np.sqrt(0.35 * 0.65 / 1_000_000)


def test_places_of_a_permutation_are_uniform():
    places = np.array([stream(0, number).permutation(5) for number in range(4_000)])
    counts = np.stack([np.bincount(column, minlength=5) for column in places.T])
    assert np.abs(counts - 800).max() < 4.5 * np.sqrt(4_000 * 0.2 * 0.8)


@pytest.mark.parametrize("count", [0, 1, 2, 1_000])
def test_a_permutation_has_every_number_once(count):
    assert sorted(stream().permutation(count).tolist()) == list(range(count))


@pytest.mark.parametrize("seed", [-1, 2**64])
def test_seed_beyond_the_key_is_refused(seed):
    with pytest.raises(SpecError, match="E0404 a seed is a whole number from 0 to 2"):
        Stream(seed, Purpose.EPOCH_ORDER)
