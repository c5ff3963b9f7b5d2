"""The memory of a step against what torch's allocator gives, byte by byte."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
import torch

from archspec.cost import table
from archspec.cost.memory import BYTES, peak
from archspec.ir.ops import OPERATIONS
from archspec.passes.forms import FORMS
from archspec.pipeline import Built, build, facts_of
from archspec.runtime.batch import Batch
from archspec.syntax.load import load_spec
from tests.measuring import extent_of, peak_bytes, random_batch

SIZES = (30, 23, 27)

SPECS: Mapping[str, float] = {
    "gin": 0.01,
    "gin_as_gating": 0.05,
    "content_attention": 0.02,
    "position_attention": 0.07,
    "gps": 0.03,
    "gat": 0.02,
    "gated_gcn": 0.06,
    "graph_sage": 0.02,
    "pna": 0.08,
    "edge_bias_transformer": 0.02,
    "grit": 0.02,
    "egt": 0.02,
}
"""Within what share of the measured peak the forecast is: a step of training on three graphs."""


def prepared(name: str) -> tuple[Built, Batch]:
    """A spec built, and a batch whose index sets are made."""
    spec = load_spec(name)
    facts = facts_of(spec)
    assert facts is not None
    built, batch = build(spec), random_batch(facts, SIZES)
    train(built, batch)
    built.module.zero_grad()
    return built, batch


def train(built: Built, batch: Batch) -> None:
    """Forward and back."""
    built.module(batch).square().sum().backward()


def forecast(built: Built, batch: Batch, training: bool) -> float:
    """The forecast, beside what the batch holds by then."""
    structure = sum(one.nbytes for one in batch.cache.values() if isinstance(one, torch.Tensor))
    return peak(built.plan, extent_of(batch), training) - structure


@pytest.mark.parametrize(("name", "within"), SPECS.items())
def test_a_step_takes_the_memory_that_is_forecast(name: str, within: float) -> None:
    built, batch = prepared(name)
    assert forecast(built, batch, True) == pytest.approx(peak_bytes(lambda: train(built, batch)), rel=within)


@pytest.mark.parametrize("name", ["gin", "content_attention", "graph_sage", "grit"])
def test_inference_takes_the_memory_that_is_forecast(name: str) -> None:
    built, batch = prepared(name)

    def infer() -> None:
        with torch.no_grad():
            built.module(batch)

    assert forecast(built, batch, False) == pytest.approx(peak_bytes(infer), rel=0.05)


@pytest.mark.parametrize(
    ("op", "change"), [("batch_norm", {"keeps": ()}), ("linear", {"keeps": ()}), ("relu", {"keeps": ("first",)})]
)
def test_a_wrong_row_of_the_table_is_noticed(op: str, change: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    built, batch = prepared("gin")
    wrong = {**table.COSTS, op: {"": replace(table.COSTS[op][""], **change)}}
    monkeypatch.setattr(table, "COSTS", wrong)
    assert forecast(built, batch, True) != pytest.approx(peak_bytes(lambda: train(built, batch)), rel=SPECS["gin"])


def test_every_operation_has_a_row_and_every_form_a_cost() -> None:
    assert table.COSTS.keys() == OPERATIONS.keys()
    for op, forms in table.COSTS.items():
        assert set(forms) == ({form.backend for form in FORMS[op]} if op in FORMS else {""})


def test_bytes_of_single_precision() -> None:
    assert torch.float32.itemsize == BYTES
