"""Expressions per pair (i, j) of a set."""

from hypothesis import strategies as st

from tests.programs.nodes import NodeWriter
from tests.programs.primitives import REDUCTIONS, STRUCTURE, UNARY
from tests.programs.scope import AXES, REFLEXIVE, Axes


class PairWriter(NodeWriter):
    """Draws values per pair too."""

    def pair(self, axes: Axes, over: str, depth: int) -> str:
        """A value per pair of the set with these axes; it always depends on i or j."""
        if depth <= 0:
            return self.pair_leaf(axes, over)
        forms = (self.pair_leaf, self.pair_linear, self.pair_unary, self.pair_binary, self.pair_inner, self.pair_choice)
        return self.pick(*forms, self.pair_third, self.pair_shape)(axes, over, depth)

    def pair_leaf(self, axes: Axes, over: str, depth: int = 0) -> str:
        """`x[j]`, `linear(x)[i]`, a value per pair of the same or a larger set, or what the graph gives."""
        usable = self.readings(axes, over, "i", "j")
        if usable and self.draw(st.booleans()):
            return self.pick(*usable)
        leaf = self.node_leaf(axes)
        return f"{leaf}[{self.pick('j', 'j', 'i')}]"

    def readings(self, axes: Axes, over: str, i: str, j: str) -> list[str]:
        """Values per pair at (i, j), which is a pair of that set, either way round, and at (j, j)."""
        own = [(name, large) for name, one, large in self.scope.pairs if one == axes]
        return [
            *(f"{name}[{i}, {j}]" for name, large in own if self.scope.within(over, large)),
            *(f"{name}[{j}, {i}]" for name, large in own if large == "V"),
            *(f"{name}[{j}, {j}]" for name, large in own if large in REFLEXIVE),
            *(f"fill({name}, {self.pick('0', '0.5', self.parameter(axes))})[{i}, {j}]" for name, _ in own),
            *([f"adjacency[{i}, {j}]", f"minimum(distance[{i}, {j}], 2)"] if not axes else []),
        ]

    def pair_third(self, axes: Axes, over: str, depth: int) -> str:
        """A reduction over a third index."""
        among = self.some_set()
        near = self.readings(axes, among, "i", "k")
        far = self.readings(axes, "V", "k", "j")
        left = self.pick(*near) if near else f"{self.node_leaf(axes)}[k]"
        right = self.pick(*far) if far else f"{self.node_leaf(axes)}[{self.pick('j', 'j', 'i')}]"
        body = self.pick(f"{left} * {right}", self.combined(left, right), f"softmax[k]({left} + {right}) * {right}")
        return f"{self.pick(*REDUCTIONS)}[k in {among}]({body})"

    def pair_linear(self, axes: Axes, over: str, depth: int) -> str:
        """A linear map under the sum, now and then of what the graph alone gives."""
        tail = "".join(f", {axis}" for axis in axes)
        return self.pick(
            *[f"linear({self.pair(self.pick(*AXES), over, depth - 1)}{tail})"] * 4,
            f"linear({self.pick(*STRUCTURE)}{tail})[i, j]",
            f"linear({self.pick('walk(0..2)', 'hops((1, 2))')}[i, j]{tail})",
            f"embed(category(distance, 3){tail})[i, j]",
        )

    def pair_unary(self, axes: Axes, over: str, depth: int) -> str:
        """A function of every entry."""
        template = self.pick(*UNARY, "-({})", "scaled({})", "twice({}, h => tanh(scaled(h)))")
        return template.format(self.pair(axes, over, depth - 1))

    def pair_binary(self, axes: Axes, over: str, depth: int) -> str:
        """An operator; one side has all axes."""
        whole = self.pair(axes, over, depth - 1)
        other = self.pick(lambda: self.constant(axes), lambda: self.pair(self.subset(axes), over, depth - 1))()
        return self.combined(whole, other)

    def pair_choice(self, axes: Axes, over: str, depth: int) -> str:
        """`a if c else b`, pair by pair."""
        condition = self.condition(lambda: self.pick(self.pair_leaf(self.pick((), axes), over), "distance[i, j]"))
        return f"({self.pair(axes, over, depth - 1)} if {condition} else {self.pair_leaf(axes, over)})"

    def pair_inner(self, axes: Axes, over: str, depth: int) -> str:
        """q[i] @ k[j], or something like it."""
        long = {(): ("c",), ("heads",): ("heads", "c")}.get(axes)
        if long is None:
            return self.pair_unary(axes, over, depth)
        return f"({self.pair(long, over, depth - 1)} @ {self.pair(long, over, depth - 1)})"

    def pair_shape(self, axes: Axes, over: str, depth: int) -> str:
        """Two values side by side under a linear map; other axes over the same entries."""
        views = {("d",): ("heads", "c"), ("heads", "c"): ("d",)}
        if axes in views and self.draw(st.booleans()):
            return f"view({', '.join((self.pair(views[axes], over, depth - 1), *axes))})"
        parts = [self.pair(self.pick((), ("d",), ("c",)), over, depth - 1) for _ in range(2)]
        return f"linear({', '.join((f'concat({parts[0]}, {parts[1]})', *axes))})"
