"""Random specs: what is compiled from them agrees with the reference, no pass changes what they compute, and with a
mistake in them they are refused at a place.

How far two computations may be apart is measured (`tests/conditioning.py`); programs that cannot be compared are
counted. `tests/many.py` runs the same on as many programs as one likes.
"""

from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings

from archspec.ir.ops import PRIMITIVES
from tests.compiling import NUMBERS
from tests.drawing import FINE, JUDGES, judge_mutation
from tests.programs.primitives import BINARY, UNARY
from tests.programs.rich import RICH

EXCLUDED = 0.05
"""The share of programs that may be left out as too badly conditioned."""
COUNTS = {"modules": 25, "passes": 8, "properties": 10, "mutations": 80}


@pytest.mark.parametrize("kind", JUDGES)
def test_random_specs(kind):
    judge, strategy = JUDGES[kind]
    seen: Counter[str] = Counter()

    @settings(max_examples=COUNTS[kind], suppress_health_check=list(HealthCheck))
    @given(strategy)
    def each(drawn):
        found = judge(*drawn)
        seen[found.name] += 1
        assert found.name in FINE, f"{found}\n{drawn[0][0]}"

    each()
    assert seen["excluded"] <= EXCLUDED * seen.total(), seen
    assert kind != "mutations" or seen["refused"] > seen.total() / 3, seen


def test_every_elementwise_primitive_is_drawn():
    drawn = " ".join((*UNARY, *BINARY))
    assert [row.name for row in PRIMITIVES.values() if row.elementwise and f"{row.name}(" not in drawn] == []


def test_specs_to_put_mistakes_into_are_right():
    for text in RICH:
        assert judge_mutation((text, NUMBERS), "everything").name == "compiles"
