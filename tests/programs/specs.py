"""Whole specs: states of several domains, blocks, a read-out, a penalty, and what is said of the weights."""

from dataclasses import dataclass, field

from hypothesis import strategies as st

from tests.programs.lines import Writer
from tests.programs.scope import AXES, DEFINED, SIZES, Axes, Scope

Level = str
"""`node` or `graph`: what has a label."""


@dataclass
class States:
    """The states of a spec besides x (d) and y (heads), with the lines of `input` that make them."""

    lines: list[str] = field(default_factory=list)
    graphs: list[tuple[str, Axes]] = field(default_factory=list)
    pairs: list[tuple[str, Axes, str]] = field(default_factory=list)

    def scope(self, known: str) -> Scope:
        """What a block may name at its beginning."""
        return Scope([("x", ("d",)), ("y", ("heads",))], [*self.graphs], [*self.pairs], known=known)


@st.composite
def specs(draw: st.DrawFn, level: Level = "node") -> str:
    """A spec of two or three layers, as YAML, for data with labels per node or per graph."""
    stack = draw(st.sampled_from(["2 * layer", "layer -> 2 * (layer -> other)", "tied(2 * layer) -> other"]))
    states = drawn_states(draw, "tied" in stack)
    lines = layer_lines(draw, states, "c > 1" if "tied" in stack else "depth > 1")
    writer = Writer(draw, states.scope("c > 1"))
    parts = {
        "sizes": f"{{{', '.join(f'{name}: {size}' for name, size in SIZES.items())}}}",
        "input": block(["x = tanh(encode(x, d))", second_state(writer), *states.lines], 4),
        "stack": stack,
        "output": output(writer, states, level),
        **penalty(writer),
    }
    model = "\n".join(f"  {name}: {text}" for name, text in parts.items())
    where = WHERE.format(layer=block(lines, 6), width=writer.pick("d", "heads, c"))
    defined = "".join(f"    {name}: {over}\n" for name, over in DEFINED.items())
    return f"name: random\nmodel:\n{model}\n  where:\n{where}{defined}{settings(writer)}"


def block(lines: list[str], indent: int) -> str:
    """Lines behind a bar."""
    return "|\n" + "\n".join(f"{' ' * indent}{line}" for line in lines)


def second_state(writer: Writer) -> str:
    """y, of the raw data or of what the graph gives."""
    return f"y = linear({writer.pick('x', 'x', 'pos', 'concat(x, pos)', 'rwse(1..2)', 'laplacian_pe(2)')}, heads)"


def drawn_states(draw: st.DrawFn, tied: bool) -> States:
    """States per edge, per pair and per graph, each of them or not."""
    states = States()
    axes = {name: draw(st.sampled_from([None, None, *AXES])) for name in ("e", "p", "g")}
    tails = {name: "".join(f", {axis}" for axis in own) for name, own in axes.items() if own is not None}
    if axes["e"] is not None:
        over = draw(st.sampled_from(["N", "N", "tail", "N - i"]))
        text = f"encode(e{tails['e']})"
        states.lines.append(f"e = {text}" if over == "N" else f"e[i, j in {over}] = {text}[i, j]")
        states.pairs.append(("e", axes["e"], over))
    if axes["p"] is not None:
        over = draw(st.sampled_from(["V", "V", "ball", "reach(1)"]))
        features = draw(st.sampled_from(["hops(0..2)[i, j]", "walk(1..2)[i, j]", "x[i] * x[j]", "pos[i] - pos[j]"]))
        states.lines.append(f"p[i, j in {over}] = linear({features}{tails['p']})")
        states.pairs.append(("p", axes["p"], over))
    if axes["g"] is not None:
        of_nodes = tied or len(axes["g"]) != 1  # in a tied layer it does not begin as a constant
        states.lines.append(
            f"g = linear(mean[i in V](x[i]){tails['g']})" if of_nodes else f"g = vector({axes['g'][0]}, 0)"
        )
        states.graphs.append(("g", axes["g"]))
    return states


def layer_lines(draw: st.DrawFn, states: States, known: str) -> list[str]:
    """The body of a layer: a few values, then the states."""
    writer = Writer(draw, states.scope(known))
    for _ in range(draw(st.integers(1, 3))):
        writer.line()
    ends = [f"x = x + tanh({writer.node(('d',), 3)}{writer.used(2)})", f"y = tanh({writer.node(('heads',), 2)})"]
    for name, axes, over in states.pairs:
        ends.append(f"{name}[i, j in {over}] = tanh({name}[i, j] + {writer.pair(axes, over, 1)})")
    for name, axes in states.graphs:
        ends.append(f"{name} = tanh({name} + {writer.graph(axes)})")
    return [*writer.scope.lines, *ends]


def output(writer: Writer, states: States, level: Level) -> str:
    """A prediction per node or per graph, of states after every layer."""
    lists = ("layers(x)", "each(layers(x), h => linear(h, d))", "each(layers(y), h => tanh(h))")
    gathered = f"{writer.pick('sum', 'mean', 'max', 'min', 'concat')}({writer.pick(*lists)})"
    last = writer.pick(gathered, gathered, "x", "concat(x, y)")
    if level == "graph":
        extra = f" + linear({states.graphs[0][0]}, out)" if states.graphs else ""
        return f"{writer.pick('mean', 'sum', 'max')}[i in V](linear({last}, out)[i]) + tanh({writer.graph(())}){extra}"
    return f"linear({last}, out) + tanh({writer.node((), 1)})"


def penalty(writer: Writer) -> dict[str, str]:
    """A penalty, or none."""
    texts = (
        "0.1 * mean[i in V](x[i] @ x[i])",
        "0.1 * sum(each(layers(y), h => mean[i in V](h[i] @ h[i]))) + knob(1) ** 2",
        f"tanh({writer.graph(())})",
    )
    text = writer.pick("", "", "", *texts)
    return {"penalty": text} if text else {}


def settings(writer: Writer) -> str:
    """What is said of the weights, or nothing."""
    rows = [row for row in SETTINGS if writer.pick(False, False, True)]
    return "parameters:\n" + "".join(f"  {row}\n" for row in rows) if rows else ""


SETTINGS = (
    '"*": {frozen: until epoch 3}',
    "output.linear.bias: {init: 0.5, frozen: true}",
    "output.linear.weight: {init: {name: xavier_uniform_, gain: 2}}",
    "input.*: {frozen: true}",
)

WHERE = """\
    layer: {layer}
    other: x = x + twice(x, h => linear(h, {width}) -> linear(d))
    scaled(h): |
      w = scalar(1)
      w * h
    twice(h, f): f(f(h))
    both(h): tanh(h), 0.5 * h
    offset: scalar(0)
    again: shared(mixed)
    mixed(h): tanh(linear(h, d))
    knob: shared(scalar)
"""
