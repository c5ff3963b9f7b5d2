"""Random specs: what is compiled from them agrees with the reference, and no pass changes what they compute."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archspec.equal.compare import compare, differences, of_reference
from archspec.passes.forms import FORMS
from archspec.passes.optimise import PASSES
from archspec.syntax.load import parse_spec
from tests.compiling import CATEGORIES, NUMBERS, Case, of_spec
from tests.graphs import batch, batches, graph
from tests.programs import specs

SLOW = settings(suppress_health_check=list(HealthCheck))
TOLERANCE = 1e-7
BACKENDS = st.fixed_dictionaries({op: st.sampled_from([form.backend for form in forms]) for op, forms in FORMS.items()})
"""One form for every fused operation."""

FACTS = st.sampled_from([CATEGORIES, NUMBERS])
SHAPES = st.one_of(batches(), st.sampled_from(["everything", "all undirected", "no edges anywhere"]))


def graphs_of(case: Case, shapes: object, seed: int = 0) -> list:
    """A named batch, or a drawn one, with features such as the spec takes."""
    letters, features = case.facts.letters, case.facts.features
    if isinstance(shapes, str):
        return batch(shapes, letters, features, seed)
    return [graph(shape, letters, features, seed + at) for at, shape in enumerate(shapes)]


@SLOW
@given(specs(), FACTS, BACKENDS, SHAPES, st.booleans())
def test_random_specs_agree_with_the_reference(text, facts, backends, shapes, training):
    case = of_spec(parse_spec(text), facts, **backends)
    graphs = graphs_of(case, shapes)
    found = compare(case.built.module, case.built.program, graphs, case.weights, training)
    assert found.ok(TOLERANCE), f"{found}\n{text}\n{case.built.code}"


@SLOW
@given(specs(), SHAPES)
def test_no_pass_changes_a_random_spec(text, shapes):
    case = of_spec(parse_spec(text), NUMBERS)
    graphs, program = graphs_of(case, shapes), case.built.program
    wanted = of_reference(program, graphs, case.weights, training=True)
    for rewrite in PASSES:
        program = rewrite(program)
        found = differences(of_reference(program, graphs, case.weights, training=True), wanted)
        assert found.ok(TOLERANCE), f"{rewrite.__name__}: {found}\n{text}"
