"""Random specs: what is compiled from them agrees with the reference, and no pass changes what they compute.

How far two computations may be apart is measured (`tests/conditioning.py`); programs that cannot be compared are
counted. `tests/many.py` runs the same on as many programs as one likes.
"""

from collections import Counter
from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archspec.facts import Facts
from archspec.passes.forms import FORMS
from archspec.reference import Graph
from archspec.syntax.load import parse_spec
from tests.compiling import CATEGORIES, NUMBERS, Case, of_spec
from tests.graphs import batch, batches, furnished, graph
from tests.judging import Verdict, judged, judged_passes
from tests.programs.specs import specs

TASKS = ("node classification", "node classification", "graph regression")
SLOW = settings(suppress_health_check=list(HealthCheck))
EXCLUDED = 0.05
"""The share of programs that may be left out as too badly conditioned."""
BACKENDS = st.fixed_dictionaries({op: st.sampled_from([form.backend for form in forms]) for op, forms in FORMS.items()})
"""One form for every fused operation."""

DATA = st.sampled_from([replace(facts, task=task) for facts in (CATEGORIES, NUMBERS) for task in TASKS])
SHAPES = st.one_of(batches(), st.sampled_from(["everything", "all undirected", "no edges anywhere"]))
PROGRAMS = DATA.flatmap(lambda facts: st.tuples(specs(facts.level), st.just(facts)))
MODULES = st.tuples(PROGRAMS, BACKENDS, SHAPES, st.booleans())
PASSED = st.tuples(PROGRAMS, SHAPES)


def graphs_of(case: Case, shapes: object, seed: int = 0) -> list[Graph]:
    """A named batch, or a drawn one, with features such as the spec takes."""
    letters, features = case.facts.letters, case.facts.features
    if isinstance(shapes, str):
        bare = batch(shapes, letters, features, seed)
    else:
        bare = [graph(shape, letters, features, seed + at) for at, shape in enumerate(shapes)]  # type: ignore[call-overload]
    return [furnished(one, case.facts, seed + at) for at, one in enumerate(bare)]


def judge_module(program: tuple[str, Facts], backends: dict[str, str], shapes: object, training: bool) -> Verdict:
    """The module of a spec on a batch."""
    case = of_spec(parse_spec(program[0]), program[1], **backends)
    return judged(case, graphs_of(case, shapes), training)


def judge_passes(program: tuple[str, Facts], shapes: object) -> Verdict:
    """Every pass over a spec on a batch."""
    case = of_spec(parse_spec(program[0]), program[1])
    return judged_passes(case, graphs_of(case, shapes))


def test_random_specs_agree_with_the_reference():
    seen: Counter[str] = Counter()

    @SLOW
    @given(MODULES)
    def each(drawn):
        found = judge_module(*drawn)
        seen[found.name] += 1
        assert found.name != "differs", f"{found}\n{drawn[0][0]}"

    each()
    assert seen["excluded"] <= EXCLUDED * seen.total(), seen


def test_no_pass_changes_a_random_spec():
    seen: Counter[str] = Counter()

    @SLOW
    @given(PASSED)
    def each(drawn):
        found = judge_passes(*drawn)
        seen[found.name] += 1
        assert found.name != "differs", f"{found}\n{drawn[0][0]}"

    each()
    assert seen["excluded"] <= EXCLUDED * seen.total(), seen
