"""Random small specs in the language: typed expressions over nodes and pairs, so that every one of them must compile.

An expression is drawn for a place (per node, or per pair of a set) and axes. Functions stay tame, so that no number
grows past what float64 compares well; what divides by 0 has tests of its own.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from hypothesis import strategies as st

SIZES = {"d": 4, "heads": 2, "c": 2}
Axes = tuple[str, ...]
AXES: tuple[Axes, ...] = ((), ("d",), ("heads",), ("c",), ("heads", "c"))
SETS = ("N", "N + i", "V", "near", "reach(0)", "reach(1)", "reach(2)", "N - i", "V - i", "expander(2)")
REFLEXIVE = ("N + i", "V", "near", "reach(0)", "reach(1)", "reach(2)")
ORDER = {"N": 0, "reach(0)": 0, "N + i": 1, "reach(1)": 2, "near": 3, "reach(2)": 3, "V": 9}
"""A set holds every pair of those with smaller numbers, and of itself."""

UNARY = ("tanh", "sigmoid", "relu", "gelu", "silu", "sin", "cos", "softplus", "elu", "softsign", "abs", "erf", "square")
NORMS = ("batch_norm", "layer_norm", "rms_norm", "graph_norm")
REDUCTIONS = ("sum", "mean", "max", "min", "std", "logsumexp")


@dataclass
class Scope:
    """Names that may be used: (name, axes) per node and per graph, (name, axes, set) per pair, and their lines."""

    nodes: list[tuple[str, Axes]]
    graphs: list[tuple[str, Axes]] = field(default_factory=list)
    pairs: list[tuple[str, Axes, str]] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    sets: dict[str, str] = field(default_factory=dict)
    """Named sets with a condition, and the sets they are made from."""
    known: str = "c > 1"
    """A condition that is settled before training."""

    def fresh(self, stem: str) -> str:
        """A name for the next line."""
        return f"{stem}{len(self.lines) + 1}"


@dataclass
class Writer:
    """Draws expressions as text; `depth` bounds how deep they nest."""

    draw: st.DrawFn
    scope: Scope

    def pick(self, *options):
        """One of the options."""
        return self.draw(st.sampled_from(options))

    def subset(self, axes: Axes) -> Axes:
        """Some of the axes: what may be combined with all of them."""
        return self.pick(axes, *([axes[:1], axes[1:], ()] if axes else []))

    def number(self) -> str:
        """A literal, 0 and 1 among them: those the compiler folds."""
        return self.pick("0", "1", "2", "0.5", "-1", "0.1")

    def parameter(self, axes: Axes) -> str:
        """A learnable constant."""
        init = self.pick("0", "1")
        kind = ("scalar", "vector", "matrix")[len(axes)]
        return f"{kind}({', '.join((*axes, init))})"

    # --- per node

    def node(self, axes: Axes, depth: int) -> str:
        """A value per node with these axes."""
        if depth <= 0:
            return self.node_leaf(axes)
        forms = (self.node_leaf, self.node_linear, self.node_unary, self.node_binary, self.node_choice)
        reductions = (self.node_reduce,) * 3
        return self.pick(*forms, *reductions, self.node_norm, self.node_shape, self.node_call)(axes, depth)

    def node_leaf(self, axes: Axes, depth: int = 0) -> str:
        """A name, or something linear in one."""
        known = [name for name, own in self.scope.nodes if own == axes] + ["degree"] * (not axes)
        if known and self.draw(st.booleans()):
            return self.pick(*known)
        return f"linear({', '.join((self.pick(*self.scope.nodes)[0], *axes))})"

    def node_linear(self, axes: Axes, depth: int) -> str:
        """A linear map, in either notation."""
        inner = self.node(self.pick(*AXES), depth - 1)
        bias = self.pick("", ", bias = false")
        if self.draw(st.booleans()):
            return f"linear({', '.join((inner, *axes))}{bias})"
        return f"({inner} -> linear({', '.join(axes)}{bias.removeprefix(', ') if not axes else bias}))"

    def node_unary(self, axes: Axes, depth: int) -> str:
        """A function of every entry."""
        return f"{self.pick(*UNARY, 'detach', 'detach', '-')}({self.node(axes, depth - 1)})"

    def node_binary(self, axes: Axes, depth: int) -> str:
        """An operator or function of two; one side has all axes."""
        whole = self.node(axes, depth - 1)
        other = self.pick(
            self.number,
            lambda: self.parameter(axes),
            lambda: self.graph_leaf(axes),
            lambda: self.node(self.subset(axes), depth - 1),
        )()
        return self.combined(whole, other)

    def graph_leaf(self, axes: Axes) -> str:
        """A value per graph, or a number where there is none with these axes."""
        known = [name for name, own in self.scope.graphs if own == axes]
        return self.pick(*known) if known else self.number()

    def combined(self, whole: str, other: str) -> str:
        """Two operands under an operator, in either order; divisors stay away from 0."""
        if self.draw(st.booleans()):
            whole, other = other, whole
        return self.pick(
            f"({whole} + {other})",
            f"({whole} - {other})",
            f"({whole} * {other})",
            f"({whole} / (2 + tanh({other})))",
            f"maximum({whole}, {other})",
            f"minimum({whole}, {other})",
            f"(tanh({whole}) ** 2 * ({other}))",
        )

    def node_choice(self, axes: Axes, depth: int) -> str:
        """`a if c else b`, known at compile time or not."""
        condition = self.condition(lambda: self.node(self.pick((), axes), 0))
        return f"({self.node(axes, depth - 1)} if {condition} else {self.node(axes, depth - 1)})"

    def condition(self, operand: Callable[[], str]) -> str:
        """A condition, or several joined."""
        one, other = (
            self.pick(self.scope.known, "d == 4", *[f"{operand()} {self.pick('> 0.3', '<= 0.1')}"] * 3) for _ in "ab"
        )
        return self.pick(one, one, f"not {one}", f"{one} and {other}", f"({one} or not {other})")

    def node_norm(self, axes: Axes, depth: int) -> str:
        """A norm of a field."""
        return f"{self.pick(*NORMS)}({self.node(axes, depth - 1)})"

    def node_shape(self, axes: Axes, depth: int) -> str:
        """Other axes over the same entries; a product over the last axis; two values side by side."""
        views = {("d",): ("heads", "c"), ("heads", "c"): ("d",)}
        products: dict[Axes, Axes] = {(): ("d",), ("heads",): ("heads", "c"), ("c",): ("c", "heads")}
        if axes in views and self.draw(st.booleans()):
            return f"view({', '.join((self.node(views[axes], depth - 1), *axes))})"
        if axes == ("c",):
            return f"({self.node(('heads', 'c'), depth - 1)} @ {self.node(('heads',), depth - 1)})"
        if axes in products:
            right = self.pick(products[axes], products[axes][-1:])
            return f"({self.node(products[axes], depth - 1)} @ {self.node(right, depth - 1)})"
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
        )

    def node_reduce(self, axes: Axes, depth: int) -> str:
        """A reduction over a set; without one where a value per pair tells it."""
        usable = [one for one in self.scope.pairs if one[1] == axes]
        if usable and self.draw(st.booleans()):
            name, _, over = self.pick(*usable)
            return f"{self.pick(*REDUCTIONS)}[j]({name}[i, j] * {self.pair(self.subset(axes), over, 0)})"
        over = self.pick(*SETS, *self.scope.sets)
        return f"{self.pick(*REDUCTIONS)}[j in {over}]({self.pair(axes, over, depth - 1)})"

    # --- per pair

    def pair(self, axes: Axes, over: str, depth: int) -> str:
        """A value per pair of the set with these axes; it always depends on i or j."""
        if depth <= 0:
            return self.pair_leaf(axes, over)
        forms = (self.pair_leaf, self.pair_linear, self.pair_unary, self.pair_binary, self.pair_inner, self.pair_choice)
        return self.pick(*forms, self.pair_third)(axes, over, depth)

    def pair_leaf(self, axes: Axes, over: str, depth: int = 0) -> str:
        """`x[j]`, `linear(x)[i]`, or a value per pair of the same or a larger set."""
        usable = self.readings(axes, over, "i", "j")
        if usable and self.draw(st.booleans()):
            return self.pick(*usable)
        leaf = self.node_leaf(axes)
        return f"{leaf}[{self.pick('j', 'j', 'i')}]"

    def readings(self, axes: Axes, over: str, i: str, j: str) -> list[str]:
        """Values per pair at (i, j), which is a pair of that set, either way round, and at (j, j)."""
        own = [(name, large) for name, one, large in self.scope.pairs if one == axes]
        return [
            *(f"{name}[{i}, {j}]" for name, large in own if self.within(over, large)),
            *(f"{name}[{j}, {i}]" for name, large in own if large == "V"),
            *(f"{name}[{j}, {j}]" for name, large in own if large in REFLEXIVE),
            *(f"fill({name}, {self.pick('0', '0.5', self.parameter(axes))})[{i}, {j}]" for name, _ in own),
        ]

    def pair_third(self, axes: Axes, over: str, depth: int) -> str:
        """A reduction over a third index."""
        among = self.pick(*SETS, *self.scope.sets)
        near = self.readings(axes, among, "i", "k")
        far = self.readings(axes, "V", "k", "j")
        left = self.pick(*near) if near else f"{self.node_leaf(axes)}[k]"
        right = self.pick(*far) if far else f"{self.node_leaf(axes)}[{self.pick('j', 'j', 'i')}]"
        body = self.pick(f"{left} * {right}", self.combined(left, right), f"softmax[k]({left} + {right}) * {right}")
        return f"{self.pick(*REDUCTIONS)}[k in {among}]({body})"

    def pair_linear(self, axes: Axes, over: str, depth: int) -> str:
        """A linear map under the sum, now and then of what the graph alone gives."""
        structure = self.pick("", "", "hops(0..2)", "walk((0, 2))", "adjacency", "minimum(distance, 3)")
        inner = f"{structure}[i, j]" if structure else self.pair(self.pick(*AXES), over, depth - 1)
        return f"linear({', '.join((inner, *axes))})"

    def pair_unary(self, axes: Axes, over: str, depth: int) -> str:
        """A function of every entry."""
        return f"{self.pick(*UNARY, 'detach', '-')}({self.pair(axes, over, depth - 1)})"

    def pair_binary(self, axes: Axes, over: str, depth: int) -> str:
        """An operator; one side has all axes."""
        whole = self.pair(axes, over, depth - 1)
        other = self.pick(
            self.number,
            lambda: self.parameter(axes),
            lambda: self.graph_leaf(axes),
            lambda: self.pair(self.subset(axes), over, depth - 1),
        )()
        return self.combined(whole, other)

    def pair_choice(self, axes: Axes, over: str, depth: int) -> str:
        """`a if c else b`, pair by pair."""
        condition = self.condition(lambda: self.pair_leaf(self.pick((), axes), over))
        return f"({self.pair(axes, over, depth - 1)} if {condition} else {self.pair_leaf(axes, over)})"

    def pair_inner(self, axes: Axes, over: str, depth: int) -> str:
        """q[i] @ k[j], or something like it."""
        long = {(): ("c",), ("heads",): ("heads", "c")}.get(axes)
        if long is None:
            return self.pair_unary(axes, over, depth)
        return f"({self.pair(long, over, depth - 1)} @ {self.pair(long, over, depth - 1)})"

    # --- statements

    def line(self) -> None:
        """One more statement: a value per node, a value per pair, or a softmax."""
        axes = self.pick(*AXES)
        lines = (self.node_line, self.pair_line, self.softmax_line, self.attention_lines)
        self.pick(*lines, self.graph_line, self.share_line, self.set_line)(axes)

    def graph_line(self, axes: Axes) -> None:
        """`g = …`, per graph."""
        name, inner = self.scope.fresh("g"), self.node(axes, 2)
        text = f"{self.pick(*REDUCTIONS)}[i in V]({inner})"
        mapped = f"linear({', '.join((text, *axes))})"
        wrapped = (f"tanh({text})", f"layer_norm({text})", mapped, f"({text} * 0.3)")
        self.scope.lines.append(f"{name} = {self.combined(self.pick(text, *wrapped), self.graph_leaf(axes))}")
        self.scope.graphs.append((name, axes))

    def share_line(self, axes: Axes) -> None:
        """`h = …`, shares of the nodes of a graph."""
        name, inner = self.scope.fresh("h"), self.node(axes, 2)
        self.scope.lines.append(f"{name} = softmax[i in V]({inner})")
        self.scope.nodes.append((name, axes))

    def set_line(self, axes: Axes) -> None:
        """`few = S if c`, or a set without some of its pairs in training."""
        over, name = self.pick(*SETS, *self.scope.sets), self.scope.fresh("few")
        one, other = (f"{self.pair_leaf((), over)} {self.pick('> 0.3', '<= 0.1')}" for _ in "ab")
        condition = self.pick(one, f"not {one}", f"{one} or {other}", f"{one} and not {other}")
        self.scope.lines.append(f"{name} = {self.pick(f'{over} if {condition}', f'drop({over}, 0.3)')}")
        self.scope.sets[name] = over

    def within(self, small: str, large: str) -> bool:
        """Whether every pair of a set is one of another's, named ones too."""
        if small == large or large in self.scope.sets:
            return small == large
        return self.within(self.scope.sets[small], large) if small in self.scope.sets else within(small, large)

    def node_line(self, axes: Axes) -> None:
        """`h = …`."""
        name, text = self.scope.fresh("h"), self.node(axes, 3)
        self.scope.lines.append(f"{name} = {text}")
        self.scope.nodes.append((name, axes))

    def pair_line(self, axes: Axes) -> None:
        """`b[i, j in S] = …`."""
        over = self.pick(*SETS, *self.scope.sets)
        name, text = self.scope.fresh("b"), self.pair(axes, over, 2)
        self.scope.lines.append(f"{name}[i, j in {over}] = {text}")
        self.scope.pairs.append((name, axes, over))

    def softmax_line(self, axes: Axes) -> None:
        """`a = softmax[j in S](…)`, or the same with the set on the left."""
        over = self.pick(*SETS, *self.scope.sets)
        name, text = self.scope.fresh("a"), self.pair(axes, over, 2)
        left = self.pick(f"{name}[i, j in {over}] = 0.5 * softmax[j]", f"{name} = softmax[j in {over}]")
        self.scope.lines.append(f"{left}({text})")
        self.scope.pairs.append((name, axes, over))

    def attention_lines(self, axes: Axes) -> None:
        """Attention with a bias, scaled or not: what the compiler fuses."""
        over, heads = self.pick(*SETS, *self.scope.sets), self.pick(("heads",), ())
        q, k, v = (self.node((*heads, "c"), 1) for _ in range(3))
        name, count = self.scope.fresh("h"), len(self.scope.lines) + 1
        logits = self.pick(f"q{count}[i] @ k{count}[j]", f"k{count}[j] @ q{count}[i]", f"q{count}[j] @ k{count}[i]")
        logits = self.pick(logits, f"{logits} / sqrt(c)", f"0.5 * ({logits}) * 3", f"-({logits})")
        usable = [one for one, own, large in self.scope.pairs if own == heads and self.within(over, large)]
        bias = f" + {self.pick(*usable)}[i, j]" if usable else self.pick("", f" + {self.pair(heads, over, 1)}")
        value = self.pick(f"v{count}[j]", f"v{count}[j]", f"v{count}[i]")
        self.scope.lines += [
            f"q{count}, k{count}, v{count} = {q}, {k}, {v}",
            f"w{count} = softmax[j in {over}]({logits}{bias})",
            f"{name} = sum[j](w{count}[i, j] * {value})",
        ]
        self.scope.nodes.append((name, (*heads, "c")))


def within(small: str, large: str) -> bool:
    """Whether every pair of a set is one of another's."""
    if small == large or "expander" in large:
        return small == large
    if large.endswith(" - i"):
        return large == "V - i" and small in ("N - i", "expander(2)")
    if "expander" in small:
        return large == "V"
    return small == f"{large} - i" or ORDER[small.removesuffix(" - i")] < ORDER[large]


@st.composite
def specs(draw: st.DrawFn) -> str:
    """A spec of two or three layers, as YAML."""
    lines = layer_lines(draw)
    output = Writer(draw, Scope([("x", ("d",)), ("y", ("heads",))]))
    states = draw(st.sampled_from(["sum(layers(x))", "concat(layers(x))", "max(layers(x))", "x", "concat(x, y)"]))
    return SPEC.format(
        sizes=", ".join(f"{name}: {size}" for name, size in SIZES.items()),
        layers=draw(st.sampled_from(["2 * layer", "layer -> 2 * (layer -> other)"])),
        output=f"linear({states}, out) + tanh({output.node((), 1)})",
        body="\n".join(f"      {line}" for line in lines),
        width=output.pick("d", "heads, c"),
    )


def layer_lines(draw: st.DrawFn) -> list[str]:
    """The body of a layer: a few values, then both states."""
    writer = Writer(draw, Scope([("x", ("d",)), ("y", ("heads",))], known="depth > 1"))
    for _ in range(draw(st.integers(1, 3))):
        writer.line()
    update = writer.node(("d",), 3)
    return [*writer.scope.lines, f"x = x + tanh({update})", f"y = tanh({writer.node(('heads',), 2)})"]


SPEC = """
name: random
model:
  sizes: {{{sizes}}}
  input: |
    x = tanh(encode(x, d))
    y = linear(x, heads)
  stack: {layers}
  output: {output}
  where:
    layer: |
{body}
    other: x = x + twice(x, h => linear(h, {width}) -> linear(d))
    scaled(h): |
      w = scalar(1)
      w * h
    twice(h, f): f(f(h))
    offset: scalar(0)
    near: reach(2)
"""
