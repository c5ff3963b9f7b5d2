"""What random programs and mutations of specs found, each in its smallest form; `docs/correctness.md` lists them."""

import pytest

from tests.compiling import of_layer
from tests.judging import judged

FOUND = {
    "adjacency on a set whose sparse matrix is in use": (
        ("x = tanh(x + sum[j in V - i](x[j]) + mean[j in V - i](adjacency[i, j] * x[j] ** 2))",),
        "csr",
    ),
}
"""Lines of a layer, and the form of fused operations."""


@pytest.mark.parametrize("name", FOUND)
def test_what_random_programs_found(name):
    lines, backend = FOUND[name]
    case = of_layer(*lines, backend=backend)
    found = judged(case, case.graphs("everything"), training=True)
    assert found.name == "agrees", found
