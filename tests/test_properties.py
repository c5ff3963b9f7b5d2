"""Attention of the specs that come with archspec in its padded form; other properties of theirs are in
`test_compiled.py`, those of random specs in `test_programs.py`."""

import torch

from tests.compiling import WHOLE, of_file
from tests.properties import unpadded

ATTENDING = 5
"""So many specs at least attend to all nodes by content."""


def test_specs_read_nothing_of_the_padding():
    seen = []
    for spec in WHOLE:
        case = of_file(spec, True, "sdpa")
        for padded, apart in unpadded(case, case.graphs("everything")):
            torch.testing.assert_close(padded, apart, rtol=1e-9, atol=1e-9, msg=spec)
            seen.append(spec)
    assert len(seen) >= ATTENDING, seen
