"""Drawing: what expressions of every domain need."""

from collections.abc import Callable
from dataclasses import dataclass

from hypothesis import strategies as st

from tests.programs.primitives import AVERAGES, BINARY
from tests.programs.scope import SETS, Axes, Scope


@dataclass
class Base:
    """Draws pieces of text; `depth` bounds how deep they nest."""

    draw: st.DrawFn
    scope: Scope

    def pick(self, *options):
        """One of the options."""
        return self.draw(st.sampled_from(options))

    def some_set(self) -> str:
        """An index set, now and then with or without i."""
        over = self.pick(*SETS, *self.scope.sets, *[*self.scope.sets][2:] * 4)
        if over in self.scope.sets and self.pick(*[False] * 5, True):
            return f"{over} {self.pick('- i', '+ i')}"
        return over

    def subset(self, axes: Axes) -> Axes:
        """Some of the axes: what may be combined with all of them."""
        return self.pick(axes, *([axes[:1], axes[1:], ()] if axes else []))

    def number(self) -> str:
        """A literal, 0 and 1 among them: those the compiler folds; or a number of the training set."""
        return self.pick("0", "1", "2", "0.5", "-1", "0.1", "0", "1", *AVERAGES)

    def parameter(self, axes: Axes) -> str:
        """A learnable constant."""
        if not axes and self.pick(False, False, True):
            return "knob(1)"
        init = self.pick("0", "1")
        kind = ("scalar", "vector", "matrix")[len(axes)]
        return f"{kind}({', '.join((*axes, init))})"

    def graph_leaf(self, axes: Axes) -> str:
        """A value per graph, or a number where there is none with these axes."""
        known = [name for name, own in self.scope.graphs if own == axes]
        return self.pick(*known) if known else self.number()

    def constant(self, axes: Axes) -> str:
        """A parameter, a number or a value per graph: what goes with any domain."""
        return self.pick(self.number, lambda: self.parameter(axes), lambda: self.graph_leaf(axes))()

    def combined(self, whole: str, other: str) -> str:
        """Two operands under an operator, in either order; divisors stay away from 0."""
        if self.draw(st.booleans()):
            whole, other = other, whole
        return self.pick(*BINARY).format(whole, other)

    def condition(self, operand: Callable[[], str]) -> str:
        """A condition, or several joined."""
        comparisons = ("> 0.3", "<= 0.1", "!= 0.25", "< 0.2", ">= -0.1", "== 2")
        one, other = (
            self.pick(self.scope.known, "d == 4", *[f"{operand()} {self.pick(*comparisons)}"] * 3) for _ in "ab"
        )
        return self.pick(one, one, f"not {one}", f"{one} and {other}", f"({one} or not {other})")
