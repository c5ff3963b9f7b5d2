"""Expressions per node."""

from hypothesis import strategies as st

from tests.programs.base import Base
from tests.programs.primitives import COUNTS, NORMS, REDUCTIONS, UNARY
from tests.programs.scope import AXES, Axes


class NodeWriter(Base):
    """Draws values per node; values per pair are drawn by a class that inherits it."""

    def node(self, axes: Axes, depth: int) -> str:
        """A value per node with these axes."""
        if depth <= 0:
            return self.node_leaf(axes)
        forms = (self.node_leaf, self.node_linear, self.node_unary, self.node_binary, self.node_choice)
        reductions = (self.node_reduce,) * 3
        return self.pick(*forms, *reductions, self.node_norm, self.node_shape, self.node_call)(axes, depth)

    def node_leaf(self, axes: Axes, depth: int = 0) -> str:
        """A name, or something linear in one; what the graph gives per node; the diagonal of a value per pair."""
        known = [name for name, own in self.scope.nodes if own == axes] + [*COUNTS] * (not axes)
        if known and self.draw(st.booleans()):
            return self.pick(*known)
        tail = "".join(f", {axis}" for axis in axes)
        return self.pick(
            *[f"linear({self.pick(*self.scope.nodes)[0]}{tail})"] * 6,
            f"linear(rwse(1..2){tail})",
            f"embed(category(degree, 3){tail})",
        )

    def node_linear(self, axes: Axes, depth: int) -> str:
        """A linear map, in either notation."""
        inner = self.node(self.pick(*AXES), depth - 1)
        bias = self.pick("", ", bias = false")
        if self.draw(st.booleans()):
            return f"linear({', '.join((inner, *axes))}{bias})"
        return f"({inner} -> linear({', '.join(axes)}{bias.removeprefix(', ') if not axes else bias}))"

    def node_unary(self, axes: Axes, depth: int) -> str:
        """A function of every entry."""
        return self.pick(*UNARY, "-({})").format(self.node(axes, depth - 1))

    def node_binary(self, axes: Axes, depth: int) -> str:
        """An operator or function of two; one side has all axes."""
        whole = self.node(axes, depth - 1)
        other = self.pick(lambda: self.constant(axes), lambda: self.node(self.subset(axes), depth - 1))()
        return self.combined(whole, other)

    def node_choice(self, axes: Axes, depth: int) -> str:
        """`a if c else b`, known at compile time or not."""
        condition = self.condition(lambda: self.node(self.pick((), axes), 0))
        whole = self.node(axes, depth - 1)
        if self.pick(False, False, True):
            return f"({whole} if {self.node_leaf(axes)} > 0.3 else {self.number()})"
        return f"({whole} if {condition} else {self.node(axes, depth - 1)})"

    def node_norm(self, axes: Axes, depth: int) -> str:
        """A norm of a field."""
        return f"{self.pick(*NORMS, 'graph_norm')}({self.node(axes, depth - 1)})"

    def node_shape(self, axes: Axes, depth: int) -> str:
        """Other axes over the same entries; a product over the last axis; two values side by side."""
        views = {("d",): ("heads", "c"), ("heads", "c"): ("d",)}
        products: dict[Axes, Axes] = {(): ("d",), ("heads",): ("heads", "c"), ("c",): ("c", "heads")}
        if axes in views and self.draw(st.booleans()):
            return f"view({', '.join((self.node(views[axes], depth - 1), *axes))})"
        if axes == ("d",) and self.draw(st.booleans()):
            return f"({self.node(('d',), depth - 1)} -> linear(d2) -> view(d))"
        if axes == ("c",):
            return f"({self.node(('heads', 'c'), depth - 1)} @ {self.node(('heads',), depth - 1)})"
        if axes in products:
            right = self.pick(products[axes], products[axes][-1:])
            other = self.parameter(right) if self.draw(st.booleans()) else self.node(right, depth - 1)
            return f"({self.node(products[axes], depth - 1)} @ {other})"
        parts = [self.node(self.pick((), ("d",), ("c",)), depth - 1) for _ in range(2)]
        return f"linear(concat({', '.join(parts)}), {', '.join(axes)})"

    def node_call(self, axes: Axes, depth: int) -> str:
        """A definition of the spec, a function handed to one among them."""
        inner = self.node(axes, depth - 1)
        return self.pick(
            f"scaled({inner})",
            f"twice({inner}, tanh)",
            f"twice({inner}, h => sigmoid(h) - 0.5)",
            f"twice({inner}, f = h => scaled(h))",
            f"({inner} -> scaled -> tanh)",
            f"pre_norm({inner}, scaled)",
            f"dropout({inner}, 0.3)",
            f"(offset + {inner})",
            *([f"again({inner})", f"({inner} -> again)", f"shared(linear)({inner}, d)"] if axes == ("d",) else []),
        )

    def node_reduce(self, axes: Axes, depth: int) -> str:
        """A reduction over a set; without one where a value per pair tells it."""
        usable = [one for one in self.scope.pairs if one[1] == axes]
        if usable and self.draw(st.booleans()):
            name, _, over = self.pick(*usable)
            return f"{self.pick(*REDUCTIONS)}[j]({name}[i, j] * {self.pair(self.subset(axes), over, 0)})"
        over = self.some_set()
        if not axes and self.pick(*[False] * 5, True):
            return f"sum[j in {over}](1)"
        return f"{self.pick(*REDUCTIONS)}[j in {over}]({self.pair(axes, over, depth - 1)})"

    def pair(self, axes: Axes, over: str, depth: int) -> str:
        """A value per pair of the set with these axes."""
        raise NotImplementedError
