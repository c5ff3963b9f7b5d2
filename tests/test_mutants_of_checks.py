"""A planted fault for every other kind of check: random programs, properties, places of errors.

Those of the comparison with the reference and of passes are in `test_mutants.py`, that of parity in
`parity/test_pyg.py`, that of golden files in `test_golden.py`, those of the text's meaning in `test_meaning.py`.
"""

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from hypothesis import HealthCheck, Phase, given, settings
from torch import Tensor

from archspec.diagnostics import Diagnostic, Problems
from archspec.runtime import aggregate, attention, norms
from archspec.runtime.pairs import Pairs
from archspec.source import SourceFile, Span
from tests import judging, mutations, test_check_errors
from tests.compiling import CATEGORIES, of_layer
from tests.drawing import JUDGES
from tests.mutations import refusal, wrong_refusal
from tests.properties import PROPERTIES
from tests.test_mutants import ATTENTION, MAXIMUM, NORMED, READ_OUT, other_op, plant

SLOW = list(HealthCheck)


def verdicts(kind: str, count: int) -> set[str]:
    """What is said of some random programs."""
    judge, strategy = JUDGES[kind]
    seen: set[str] = set()

    @settings(max_examples=count, phases=[Phase.generate], suppress_health_check=SLOW)
    @given(strategy)
    def each(drawn):
        if "differs" not in seen:
            seen.add(judge(*drawn).name)

    each()
    return seen


def test_random_programs_see_a_fault_of_the_runtime(monkeypatch):
    honest = aggregate.row_max
    monkeypatch.setattr(aggregate, "row_max", lambda pairs, v: honest(pairs, v).clamp(min=0))
    assert "differs" in verdicts("modules", 20)


def test_random_programs_see_a_fault_of_a_pass(monkeypatch):
    monkeypatch.setattr(judging, "PASSES", (other_op("tanh", "sigmoid"),))
    assert "differs" in verdicts("passes", 3)


def broken(name: str, case) -> bool:
    """Whether a compiled spec lacks a property."""
    pairs = PROPERTIES[name](case, case.graphs("everything"))
    return any(not torch.allclose(*pair, rtol=1e-8, atol=1e-8) for pair in pairs)


def of_the_whole_batch(pairs: Pairs, v: Tensor) -> Tensor:
    """A maximum that knows no graphs."""
    return aggregate.segment_max(pairs, v).amax(0, keepdim=True).expand(pairs.rows, -1)


FAULTS: dict[str, tuple[str, tuple[str, ...], str, Callable]] = {
    "statistics of the batch in evaluation": (
        "batch mates",
        NORMED,
        "batch_norm",
        lambda x, module: norms.batch_norm(x, module.train()),
    ),
    "a read-out of the whole batch": ("batch mates", READ_OUT, "segment_max", of_the_whole_batch),
    "the first neighbour's counts more": (
        "numbering",
        MAXIMUM,
        "segment_max",
        lambda pairs, v: aggregate.segment_max(pairs, v * (1 + (torch.arange(len(v)) % 2).unsqueeze(1))),
    ),
    "no number where there are no neighbours": (
        "single precision",
        MAXIMUM,
        "segment_max",
        lambda pairs, v: aggregate.segment_max(pairs, v) / (pairs.count > 0).unsqueeze(1),
    ),
}
"""The property, a layer, the function of the runtime, and what stands in its place."""


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_break_their_property(fault, monkeypatch):
    name, layer, function, mutant = FAULTS[fault]
    case = of_layer(*layer)
    assert not broken(name, case)
    plant(case, monkeypatch, function, mutant)
    assert broken(name, case)


def test_what_leaks_from_padding_is_seen(monkeypatch):
    case = of_layer(*ATTENTION, backend="sdpa")
    assert not broken("padding", case)
    monkeypatch.setattr(attention, "padding_mask", lambda batch, dtype: torch.zeros((), dtype=dtype))
    assert broken("padding", case)


TEXT = "name: random\nmodel: {sizes: {d: 4}, input: 'x = encode(x, d)', stack: layer, output: 'linear(y, out)'}\n"
SOMEWHERE = Span(SourceFile("", TEXT), 3, 5)
REFUSALS = {
    "no place": Diagnostic("E0201", "unknown name `y`"),
    "outside the text": Diagnostic("E0201", "unknown name `y`", replace(SOMEWHERE, end=len(TEXT) + 1)),
    "an unknown code": Diagnostic("E0999", "unknown name `y`", SOMEWHERE),
    "no cure": Diagnostic("E0302", "axes do not go together", SOMEWHERE),
}


@pytest.mark.parametrize("problem", REFUSALS)
def test_a_refusal_that_lacks_something_is_seen(problem):
    assert not [*wrong_refusal((Diagnostic("E0201", "unknown name `y`", SOMEWHERE),), TEXT)]
    assert any(problem in one for one in wrong_refusal((REFUSALS[problem],), TEXT))


def test_an_exception_of_the_compiler_and_an_endless_one_are_seen(monkeypatch):
    def endless(*anything):
        while True:
            pass

    monkeypatch.setattr(mutations, "LIMIT", 0.05)
    monkeypatch.setattr(mutations, "compile_spec", endless)
    with pytest.raises(TimeoutError):
        refusal(TEXT, CATEGORIES)
    monkeypatch.setattr(mutations, "compile_spec", lambda *anything: {}["a"])
    with pytest.raises(KeyError):
        refusal(TEXT, CATEGORIES)


def test_an_error_at_another_place_is_seen(monkeypatch):
    honest, row = Problems.add, test_check_errors.ROWS[0]

    def shifted(problems: Problems, one: Diagnostic) -> None:
        honest(problems, replace(one, span=replace(one.span, start=one.span.start + 1)) if one.span else one)

    problems, places = test_check_errors.found(row)
    monkeypatch.setattr(Problems, "add", shifted)
    moved, _ = test_check_errors.found(row)
    assert [(one.span.start, one.span.end) for one in problems] == places
    assert [(one.span.start, one.span.end) for one in moved] != places
