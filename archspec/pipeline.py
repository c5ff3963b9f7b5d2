"""From the text of a spec to a module: the whole compiler on one page."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from archspec.check.checker import check
from archspec.emit.source import source
from archspec.facts import Facts, known
from archspec.ir.nodes import Program
from archspec.passes.optimise import optimise
from archspec.passes.schedule import Plan, schedule
from archspec.syntax.load import load_library
from archspec.syntax.spec import Spec

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class Compiled:
    """Every stage of one spec: the typed program, the optimised one, the plan, and the source."""

    program: Program
    optimised: Program
    plan: Plan
    code: str


@dataclass(frozen=True)
class Built(Compiled):
    """A compiled spec and its module."""

    module: "nn.Module"


def typed(spec: Spec, facts: Facts | None = None) -> Program:
    """The typed program of a spec. Raises SpecError."""
    facts = facts or known(spec.settings.data, spec.place("data", "name"))
    return check(spec, facts, load_library())


def compile_spec(spec: Spec, facts: Facts | None = None, backend: Mapping[str, str] | None = None) -> Compiled:
    """Check, optimise, plan and emit; no torch. Raises SpecError."""
    facts = facts or known(spec.settings.data, spec.place("data", "name"))
    program = check(spec, facts, load_library())
    optimised = optimise(program)
    plan = schedule(optimised, facts, backend)
    return Compiled(program, optimised, plan, source(plan))


def build(spec: Spec, facts: Facts | None = None, backend: Mapping[str, str] | None = None) -> Built:
    """Compile, then make the module; its weights are drawn from torch's generator. Raises SpecError."""
    from archspec.emit.build import build_module

    compiled = compile_spec(spec, facts, backend)
    return Built(**vars(compiled), module=build_module(compiled.code, spec.name))
