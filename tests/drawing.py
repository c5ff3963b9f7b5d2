"""What is drawn and judged: random programs as modules, pass by pass, and with a mistake in them."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from hypothesis import strategies as st

from archspec.facts import Facts
from archspec.passes.forms import FORMS
from archspec.reference import Graph
from archspec.syntax.load import load_spec, parse_spec
from tests.compiling import CATEGORIES, NUMBERS, Case, facts_of, of_spec
from tests.graphs import batch, batches, furnished, graph
from tests.judging import Verdict, judged, judged_passes, judged_properties
from tests.mutations import mutated, refusal, whole_files
from tests.programs.rich import RICH
from tests.programs.specs import specs

Program = tuple[str, Facts]
"""The text of a spec, and what it is compiled for."""

TASKS = ("node classification", "node classification", "graph regression")
BACKENDS = st.fixed_dictionaries({op: st.sampled_from([form.backend for form in forms]) for op, forms in FORMS.items()})
"""One form for every fused operation."""
DATA = st.sampled_from([replace(facts, task=task) for facts in (CATEGORIES, NUMBERS) for task in TASKS])
SHAPES = st.one_of(batches(), st.sampled_from(["everything", "all undirected", "no edges anywhere"]))

PROGRAMS = DATA.flatmap(lambda facts: st.tuples(specs(facts.level), st.just(facts)))
SHIPPED = st.sampled_from([(text, facts_of(load_spec(name), numeric=False)) for name, text in whole_files().items()])
MODULES = st.tuples(PROGRAMS, BACKENDS, SHAPES, st.booleans())
PASSED = st.tuples(PROGRAMS, SHAPES)
RICHEST = st.tuples(st.sampled_from(RICH), st.just(NUMBERS))
MISTAKEN = st.one_of(PROGRAMS, SHIPPED, RICHEST).flatmap(lambda one: st.tuples(mutated(one[0]), st.just(one[1])))
MUTATED = st.tuples(MISTAKEN, SHAPES)


def graphs_of(case: Case, shapes: object, seed: int = 0) -> list[Graph]:
    """A named batch, or a drawn one, with features such as the spec takes."""
    letters, features = case.facts.letters, case.facts.features
    if isinstance(shapes, str):
        bare = batch(shapes, letters, features, seed)
    else:
        bare = [graph(shape, letters, features, seed + at) for at, shape in enumerate(shapes)]  # type: ignore[call-overload]
    return [furnished(one, case.facts, seed + at) for at, one in enumerate(bare)]


def judge_module(program: Program, backends: Mapping[str, str], shapes: object, training: bool) -> Verdict:
    """The module of a spec on a batch."""
    case = of_spec(parse_spec(program[0]), program[1], **backends)
    return judged(case, graphs_of(case, shapes), training)


def judge_passes(program: Program, shapes: object) -> Verdict:
    """Every pass over a spec on a batch."""
    case = of_spec(parse_spec(program[0]), program[1])
    return judged_passes(case, graphs_of(case, shapes))


def judge_properties(program: Program, shapes: object) -> Verdict:
    """Every property of a spec's module on a batch, attention over V in the form that has a padded one."""
    case = of_spec(parse_spec(program[0]), program[1], attention="sdpa")
    return judged_properties(case, graphs_of(case, shapes))


def judge_mutation(program: Program, shapes: object) -> Verdict:
    """A spec with a mistake: refused as it should be, or a spec that computes what it says."""
    text, facts = program
    problems = refusal(text, facts)
    if problems is None:
        return judge_module(program, {}, shapes, True) if text.startswith("name: random") else Verdict("compiles")
    return Verdict("wrongly refused", told="\n".join(problems)) if problems else Verdict("refused")


JUDGES: Mapping[str, tuple[Callable[..., Verdict], st.SearchStrategy]] = {
    "modules": (judge_module, MODULES),
    "passes": (judge_passes, PASSED),
    "properties": (judge_properties, PASSED),
    "mutations": (judge_mutation, MUTATED),
}
"""What judges a drawn example, and how one is drawn."""

FINE = ("agrees", "excluded", "refused", "compiles")
"""Verdicts that are no defect."""
