"""The functions that `archspec` itself offers: specs by name, path or text; what commands say, as objects."""

from pathlib import Path
from typing import TYPE_CHECKING

from archspec.compare.difference import differences
from archspec.compare.sources import Source, read
from archspec.cost.bill import bill
from archspec.diagnostics import SpecError
from archspec.interface.checking import compiled, told
from archspec.interface.objects import Architecture, Check, Cost, Diff
from archspec.pipeline import build as build_spec
from archspec.pipeline import compile_spec, facts_of
from archspec.syntax.load import load_text

if TYPE_CHECKING:
    from torch import nn

    from archspec.equal.specs import Verdict

Given = str | Path | Architecture
"""A spec: a file, the name of one that comes with archspec, a run's folder, `git:REV:PATH`; or its text, of several
lines, in which `extends` and `uses` name files seen from the working folder; or what `load` has given."""


def load(source: Given, *overrides: str) -> Architecture:
    """The architecture of a spec, with overrides as `--set` takes them: `load("gin", "model.sizes.d=64")`.

    Its form and its types are checked. Raises SpecError with every problem.
    """
    found = sourced(source, overrides)
    return Architecture(found, compile_spec(found.spec))


def sourced(source: Given, overrides: tuple[str, ...]) -> Source:
    """The spec and how it was named; SpecError where it cannot be read."""
    if isinstance(source, Architecture):
        if not overrides:
            return source.source
        return Source(source.name, load_text(source.text, source.spec.source.path, overrides))
    if isinstance(source, str) and "\n" in source:
        spec = load_text(source, overrides=overrides)
        return Source(spec.name, spec)
    return read(str(source), overrides)


def check(source: Given, *overrides: str) -> Check:
    """What `archspec check` finds: problems, or that the compiled module gives what the reference does; nothing raised.

    It is true where all is well.
    """
    try:
        spec = sourced(source, overrides).spec
        return Check(spec.name, told(spec, static=False))
    except SpecError as error:
        return Check("", "", error.diagnostics)


def build(source: Given, *overrides: str) -> "nn.Module":
    """The module, which takes `torch_geometric.data.Data` or `Batch`; weights are drawn from torch's generator.

    Its outputs are [nodes, …], [graphs, …], … as the spec's task has it. Raises SpecError, also where a size is not
    known because the spec names no data set.
    """
    return build_spec(sourced(source, overrides).spec).module


def diff(old: Given, new: Given, *overrides: str) -> Diff:
    """What `new` changes of `old`, definition by definition, with what follows; true where there is a difference.

    Overrides are laid over both. Raises SpecError for a spec with problems.
    """
    first, second = sourced(old, overrides), sourced(new, overrides)
    return Diff(differences(compiled(first.spec), compiled(second.spec)), (first.title, second.title))


def equal(first: Given, second: Given, *overrides: str) -> "Verdict":
    """Whether two specs compute the same: proved, agreed on graphs, or different; true where they do.

    Overrides are laid over both. Raises SpecError for a spec with problems.
    """
    from archspec.equal.specs import verdict

    return verdict(sourced(first, overrides).spec, sourced(second, overrides).spec)


def cost(source: Given, *overrides: str, by: str = "definition") -> Cost:
    """Parameters, FLOPs, bytes, memory and time, by `definition` or by `operation`, as numbers and as formulas.

    Raises SpecError for a spec with problems, and E0311 where a size is not known without a data set.
    """
    spec = sourced(source, overrides).spec
    made = compile_spec(spec)
    return Cost(bill(spec, made.program, made.plan, facts_of(spec), by), by)
