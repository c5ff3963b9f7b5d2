"""From the text of a spec to a module: the whole compiler on one page."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from archspec.check.checker import check
from archspec.check.settings import check_settings
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
    """The stages of one spec: the typed program, the optimised one, the plan, and the source of its module."""

    program: Program
    optimised: Program
    plan: Plan

    @cached_property
    def code(self) -> str:
        """Python source of one nn.Module. Raises SpecError where a size is unknown without data."""
        return source(self.plan)


@dataclass(frozen=True)
class Built(Compiled):
    """A compiled spec and its module."""

    module: "nn.Module"


def facts_of(spec: Spec) -> Facts | None:
    """What is known of the spec's data set; None where it names none. Raises SpecError for an unknown one."""
    return known(spec.settings.data, spec.place("data", "name"))


def compile_spec(spec: Spec, facts: Facts | None = None, backend: Mapping[str, str] | None = None) -> Compiled:
    """Check, optimise and plan; no torch. Raises SpecError with every problem of the spec."""
    facts = facts or facts_of(spec)
    program = check(spec, facts, load_library())
    optimised = optimise(program)
    return Compiled(program, optimised, schedule(optimised, facts, backend))


def build(spec: Spec, facts: Facts | None = None, backend: Mapping[str, str] | None = None) -> Built:
    """Compile, emit and make the module; its weights are drawn from torch's generator. Raises SpecError."""
    from archspec.emit.build import build_module
    from archspec.emit.foreign import foreign_weights

    compiled = compile_spec(spec, facts, backend)
    program = check_settings(spec, compiled.program, foreign_weights(compiled.program))
    module = build_module(compiled.code, spec.name)
    return Built(program, compiled.optimised, compiled.plan, module)
