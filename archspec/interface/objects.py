"""What the functions give: each says itself in a terminal, and shows itself as HTML in a notebook."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from archspec.compare.difference import Difference
from archspec.compare.markup import html_lines
from archspec.compare.shown import summary, text_of
from archspec.compare.sources import Source
from archspec.cost.bill import Bill
from archspec.cost.figures import Figures
from archspec.cost.parameters import count, parameters, uncounted
from archspec.cost.shown import as_text
from archspec.diagnostics import Diagnostic, SpecError, concise, render
from archspec.interface.html import costs, equations, page, preformatted, weights
from archspec.pipeline import Compiled
from archspec.syntax.spec import Spec


@dataclass(frozen=True, repr=False)
class Architecture:
    """A spec that is right in itself. `print` writes it as YAML, a notebook its equations and weights."""

    source: Source
    compiled: Compiled = field(compare=False)

    @property
    def spec(self) -> Spec:
        """The spec as the compiler sees it."""
        return self.source.spec

    @property
    def name(self) -> str:
        """The name it gives itself."""
        return self.spec.name

    @property
    def text(self) -> str:
        """The resolved spec, which reads back to the same architecture."""
        return self.spec.text

    @property
    def code(self) -> str:
        """Python source of its module."""
        return self.compiled.code

    @property
    def weights(self) -> Mapping[str, tuple[int, ...]]:
        """The shape of every trainable tensor by its name in `state_dict`. SpecError E0311 where one is not known."""
        return parameters(self.compiled.program)

    @property
    def parameters(self) -> int:
        """How many numbers are trained. SpecError E0311 where a size is not known without a data set."""
        return count(self.compiled.program)

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        data = self.spec.settings.data
        with suppress(SpecError):
            many = f"{self.parameters:,} parameters{uncounted(self.compiled.program)}"
            return f"<Architecture {self.name}: {many}{f', on {data.name}' if data else ''}>"
        return f"<Architecture {self.name}: sizes open without data>"

    def _repr_html_(self) -> str:
        body = equations(self.spec)
        with suppress(SpecError):
            body += weights(self.weights)
        return page(repr(self)[1:-1], body, self.spec.settings.about)


@dataclass(frozen=True, repr=False)
class Check:
    """What was found of a spec: that it is right and how well that was looked into, or its problems."""

    name: str
    told: str
    diagnostics: tuple[Diagnostic, ...] = ()

    def __bool__(self) -> bool:
        return not self.diagnostics

    def __str__(self) -> str:
        return render(self.diagnostics) if self.diagnostics else f"{self.name}: {self.told}"

    def __repr__(self) -> str:
        return "\n".join(map(concise, self.diagnostics)) or str(self)

    def _repr_html_(self) -> str:
        return page("", preformatted(str(self)))


@dataclass(frozen=True, repr=False)
class Diff:
    """What one spec changes of another; `found` has it in parts."""

    found: Difference
    names: tuple[str, str]

    def __bool__(self) -> bool:
        return bool(self.found) or not self.found.same_architecture

    def __str__(self) -> str:
        return text_of(self.found, self.names).rstrip("\n")

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return page(" → ".join(self.names), "\n".join(html_lines(self.found, self.names)), summary(self.found))


@dataclass(frozen=True, repr=False)
class Cost:
    """What an architecture costs; `bill` has it in parts."""

    bill: Bill
    by: str

    @property
    def total(self) -> Figures:
        """Parameters, and for a step on one batch FLOPs and bytes."""
        return self.bill.total

    @property
    def formulas(self) -> Mapping[str, Figures]:
        """For one graph, by line: each figure as an expression of sympy."""
        return {line.name: self.bill.formulas(line) for line in self.bill.lines}

    def __str__(self) -> str:
        return as_text(self.bill, self.bill.lines, self.by)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return page("", costs(self.bill, self.by))
