"""Specs compiled for tests: a text or a file to a module, its weights and its graphs."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import yaml
from torch import Tensor

from archspec.equal.batch import by_target
from archspec.facts import Facts
from archspec.facts.table import TABLE
from archspec.ir.types import NEIGHBOURS, TARGETS
from archspec.passes.forms import FORMS
from archspec.pipeline import Built, build, compile_spec
from archspec.reference import Graph, initial_weights
from archspec.reference.graph import pairs
from archspec.syntax.load import load_spec, parse_spec
from archspec.syntax.printer import print_stack
from archspec.syntax.spec import Spec
from tests.graphs import batch, furnished, permuted

LETTERS, FEATURES = 3, 3
CATEGORIES: Facts = replace(TABLE["pattern"], edge_letters=4, positions=2)
NUMBERS: Facts = replace(CATEGORIES, letters=None, features=FEATURES, edge_letters=None, edge_features=2)
"""Data with a category or with numbers per node and per edge, and positions; else like PATTERN."""

FILES = {path.stem: path for path in sorted((Path(__file__).parents[1] / "specs").glob("*.yaml"))}
PARENTS = {
    name: Path(base).stem for name, path in FILES.items() if (base := yaml.safe_load(path.read_text()).get("extends"))
}
"""The spec that each ablation extends."""
WHOLE = [name for name in FILES if name not in PARENTS]
"""Specs that extend no other."""
SMALL = {"d": 8, "heads": 2, "dp": 4, "walks": 4}
"""Sizes for tests: those of them that a spec has."""

SPEC = """
name: test
model:
  sizes: {{d: 4, heads: 2, c: d / heads, c2: c, dp: d}}
  input: x = encode(x, d)
  stack: 2 * layer
  output: linear(x, out)
  where:
    layer: |
{body}
"""


@dataclass(frozen=True)
class Case:
    """A compiled spec with random weights."""

    built: Built
    weights: dict[str, Tensor]
    facts: Facts

    def graphs(self, name: str, seed: int = 0) -> list[Graph]:
        """A named batch with features such as the spec takes."""
        bare = batch(name, letters=self.facts.letters, features=self.facts.features, seed=seed)
        return [furnished(graph, self.facts, seed + at) for at, graph in enumerate(bare)]

    def rows(self, graphs: list[Graph]) -> list[int]:
        """Rows of the prediction for each graph."""
        return [len(self.places(graph, range(graph.nodes))) for graph in graphs]

    def places(self, graph: Graph, order: Sequence[int]) -> list[int]:
        """Which row of the prediction for a graph every row is that it has with node `order[k]` as its k-th."""
        if self.facts.level == "graph":
            return [0]
        if self.facts.level == "node":
            return [*order]
        over = NEIGHBOURS if self.facts.level == "edge" else TARGETS
        before, after = (by_target(pairs(one, over)) for one in (graph, permuted(graph, order)))
        return [before.index(row) for row in after]


def of_spec(spec: Spec, facts: Facts, **backend: str) -> Case:
    """Compile, with forms of fused operations forced by the operation's name."""
    built = build(spec, facts, backend)
    return Case(built, initial_weights(built.program), facts)


@cache
def of_file(name: str, numeric: bool = False, backend: str = "") -> Case:
    """A spec that comes with archspec, small, all its fused operations in one form where they have it."""
    spec = load_spec(name, list(smaller(load_spec(name))))
    return of_spec(spec, facts_of(spec, numeric), **forced(backend))


def facts_of(spec: Spec, numeric: bool) -> Facts:
    """Like the spec's data set, of which only the task is kept."""
    facts, data = NUMBERS if numeric else CATEGORIES, TABLE[spec.settings.data.name]
    return replace(facts, task=data.task, out=data.out)


def smaller(spec: Spec) -> Iterator[str]:
    """Overrides that make a spec small: sizes of one digit, no block more than twice."""
    yield from (f"model.sizes.{size}={value}" for size, value in SMALL.items() if size in spec.sizes)
    yield "model.stack=" + re.sub(r"\b\d+(?= \* )", lambda found: str(min(int(found[0]), 2)), print_stack(spec.stack))


@cache
def operations(name: str) -> frozenset[tuple[str, str]]:
    """What a spec's program does, and over which sets."""
    program = compile_spec(load_spec(name)).program
    return frozenset((node.op, str(node.get("over"))) for _, part in program.sections() for node in part.nodes)


@cache
def new_programs() -> list[str]:
    """Specs that do what no spec they extend does: tested in every form and with every pass."""
    return [name for name in FILES if name in WHOLE or operations(name) - operations(PARENTS[name])]


def of_layer(*lines: str, facts: Facts = NUMBERS, backend: str = "") -> Case:
    """Two layers with these lines as their body."""
    return of_spec(parse_spec(SPEC.format(body="\n".join(f"      {line}" for line in lines))), facts, **forced(backend))


def forced(backend: str) -> dict[str, str]:
    """The operations that have a form of that name."""
    return {op: backend for op, forms in FORMS.items() if backend in [form.backend for form in forms]}
