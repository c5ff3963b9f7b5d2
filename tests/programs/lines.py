"""Statements: values with names, in every domain."""

from tests.programs.pairs import PairWriter
from tests.programs.primitives import NORMS, REDUCTIONS, UNARY
from tests.programs.scope import AXES, Axes


class Writer(PairWriter):
    """Draws the lines of a block."""

    def line(self) -> None:
        """One more statement: a value per node, per pair or per graph, a set, or several values at once."""
        axes = self.pick(*AXES)
        pairs = (
            self.pair_line,
            self.softmax_line,
            self.field_line,
            self.attention_lines,
            self.gate_line,
            self.path_lines,
        )
        self.pick(self.node_line, self.several_line, *pairs, self.graph_line, self.share_line, self.set_line)(axes)

    def used(self, count: int) -> str:
        """The values that were named last, brought to nodes with the axis d: what nothing reads is not computed."""
        scope = self.scope
        nodes = [f"linear({name}, d)" for name, _ in scope.nodes[2:]]
        graphs = [f"linear({name}, d)" for name, _ in scope.graphs]
        pairs = [
            f"linear(mean[j]({name}[i, j] * {self.pick('0.5', '(y[j] @ y[i])')}), d)" for name, _, _ in scope.pairs
        ]
        sets = [f"mean[j in {name}](x[j])" for name in [*scope.sets][2:]]
        return "".join(f" + {text}" for some in (nodes, graphs, pairs, sets) for text in some[-count:])

    def node_line(self, axes: Axes) -> None:
        """`h = …`."""
        name, text = self.scope.fresh("h"), self.node(axes, 3)
        self.scope.lines.append(f"{name} = {text}")
        self.scope.nodes.append((name, axes))

    def several_line(self, axes: Axes) -> None:
        """`h, u = …`: the results of a function, or several values."""
        name, inner = self.scope.fresh("h"), self.node(axes, 2)
        text = self.pick(f"both({inner})", f"{inner}, {self.node(axes, 1)}")
        self.scope.lines.append(f"{name}, {name}u = {text}")
        self.scope.nodes += [(name, axes), (f"{name}u", axes)]

    def graph(self, axes: Axes) -> str:
        """A value per graph."""
        text = f"{self.pick(*REDUCTIONS)}[i in V]({self.node(axes, 2)})"
        mapped = f"linear({', '.join((text, *axes))})"
        wrapped = (f"tanh({text})", f"layer_norm({text})", f"batch_norm({text})", mapped, f"({text} * 0.3)")
        return self.combined(self.pick(text, *wrapped), self.graph_leaf(axes))

    def graph_line(self, axes: Axes) -> None:
        """`g = …`, per graph."""
        name, text = self.scope.fresh("g"), self.graph(axes)
        self.scope.lines.append(f"{name} = {text}")
        self.scope.graphs.append((name, axes))

    def share_line(self, axes: Axes) -> None:
        """`h = …`, shares of the nodes of a graph."""
        name, inner = self.scope.fresh("h"), self.node(axes, 2)
        self.scope.lines.append(f"{name} = softmax[i in V]({inner})")
        self.scope.nodes.append((name, axes))

    def set_line(self, axes: Axes) -> None:
        """`few = S if c`, or a set without some of its pairs in training."""
        over, name = self.some_set(), self.scope.fresh("few")
        one, other = (f"{self.pair_leaf((), over)} {self.pick('> 0.3', '<= 0.1')}" for _ in "ab")
        condition = self.pick(one, f"not {one}", f"{one} or {other}", f"{one} and not {other}", "distance[i, j] < 3")
        self.scope.lines.append(f"{name} = {self.pick(f'{over} if {condition}', f'drop({over}, 0.3)')}")
        self.scope.sets[name] = over

    def pair_line(self, axes: Axes) -> None:
        """`b[i, j in S] = …`."""
        over = self.some_set()
        name, text = self.scope.fresh("b"), self.pair(axes, over, 2)
        self.scope.lines.append(f"{name}[i, j in {over}] = {text}")
        self.scope.pairs.append((name, axes, over))

    def field_line(self, axes: Axes) -> None:
        """A whole field of pairs through a norm, a function or a linear map; an own one where there is none."""
        if not self.scope.pairs:
            self.pair_line(axes)
        old, own, over = self.pick(*self.scope.pairs)
        mapped = f"linear({', '.join(('{}', *axes))})"
        norms = [f"{norm}({{}})" for norm in NORMS]
        text, made = self.pick((mapped, axes), (self.pick(*norms), own), (self.pick(*UNARY, "dropout({}, 0.2)"), own))
        name = self.scope.fresh("b")
        self.scope.lines.append(f"{name} = {text.format(old)}")
        self.scope.pairs.append((name, made, over))

    def softmax_line(self, axes: Axes) -> None:
        """`a = softmax[j in S](…)`, or the same with the set on the left."""
        over = self.some_set()
        name, text = self.scope.fresh("a"), self.pair(axes, over, 2)
        left = self.pick(f"{name}[i, j in {over}] = 0.5 * softmax[j]", f"{name} = softmax[j in {over}]")
        self.scope.lines.append(f"{left}({text})")
        self.scope.pairs.append((name, axes, over))

    def gate_line(self, axes: Axes) -> None:
        """A sum over neighbours with a weight per pair: what the compiler fuses."""
        over, heads = self.some_set(), self.pick((), axes[:1] if axes != ("c",) else ())
        name, weight = self.scope.fresh("h"), self.pick("sigmoid({})", "{}", "tanh({}) / (1 + degree[i])")
        value = self.pick(
            *[name for name, own in self.scope.nodes if own == axes], f"linear({', '.join(('x', *axes))})"
        )
        text = f"{weight.format(self.pair(heads, over, 1))} * {value}[j]"
        self.scope.lines.append(f"{name} = {self.pick('sum', 'sum', 'mean')}[j in {over}]({text})")
        self.scope.nodes.append((name, axes))

    def path_lines(self, axes: Axes) -> None:
        """Products of matrices of pairs, in every order of indices."""
        axes = axes[:1]
        name, count = self.scope.fresh("b"), len(self.scope.lines) + 1
        near, far = self.pick("r{}[i, k]", "r{}[k, i]"), self.pick("s{}[k, j]", "s{}[j, k]")
        first, second = self.pair(axes, "V", 1), self.pair(axes, "V", 1)
        product = f"{near.format(count)} * {far.format(count)}"
        self.scope.lines += [
            f"r{count}[i, j in V] = {first}",
            f"s{count}[i, j in V] = {second}",
            f"{name}[i, j in V] = {self.pick('sum', 'sum', 'mean')}[k in V]({product})",
        ]
        self.scope.pairs.append((name, axes, "V"))

    def attention_lines(self, axes: Axes) -> None:
        """Attention with a bias, scaled or not: what the compiler fuses."""
        over, heads = self.some_set(), self.pick(("heads",), ())
        q, k, v = (self.node((*heads, "c"), 1) for _ in range(3))
        name, count = self.scope.fresh("h"), len(self.scope.lines) + 1
        logits = self.pick(f"q{count}[i] @ k{count}[j]", f"k{count}[j] @ q{count}[i]", f"q{count}[j] @ k{count}[i]")
        logits = self.pick(logits, f"{logits} / sqrt(c)", f"0.5 * ({logits}) * 3", f"-({logits})")
        usable = [one for one, own, large in self.scope.pairs if own == heads and self.scope.within(over, large)]
        bias = f" + {self.pick(*usable)}[i, j]" if usable else self.pick("", f" + {self.pair(heads, over, 1)}")
        value = self.pick(f"v{count}[j]", f"v{count}[j]", f"v{count}[i]")
        self.scope.lines += [
            f"q{count}, k{count}, v{count} = {q}, {k}, {v}",
            f"w{count} = softmax[j in {over}]({logits}{bias})",
            f"{name} = sum[j](w{count}[i, j] * {value})",
        ]
        self.scope.nodes.append((name, (*heads, "c")))
