"""Which texts are one architecture: rows of pairs, each also held to the reference evaluator with the weights that the
normal form says are the same; and random programs, rewritten and with mistakes in them.
"""

import re
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from functools import cache
from random import Random
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archspec.compare import arithmetic
from archspec.compare.same import Mapped, by_shape, same
from archspec.diagnostics import SpecError
from archspec.equal.compare import differences, of_reference
from archspec.facts import Facts
from archspec.ir.nodes import Program
from archspec.pipeline import compile_spec
from archspec.reference import initial_weights
from archspec.syntax import tree
from archspec.syntax.load import parse_spec
from archspec.syntax.spec import Spec
from tests.checking import program
from tests.compiling import CATEGORIES
from tests.conditioning import bound
from tests.drawing import PROGRAMS
from tests.graphs import batch, furnished

T = TypeVar("T")

L = {"layer": "h = linear(x, d)\nx = x + relu(h)"}
Q = "q, k, v = linear(x, heads, c), linear(x, heads, c), linear(x, heads, c)\n"
P = "p = linear(walk(1..3))\n"
V = "f, g, k = linear(x, d), linear(x, d), linear(x, d)\n"


def layers(*bodies: str) -> tuple[dict[str, str], dict[str, str]]:
    """Two specs by their layers."""
    first, second = bodies
    return {"layer": first}, {"layer": second}


def values(one: str, other: str) -> tuple[dict[str, str], dict[str, str]]:
    """Two layers by what they add to x, with f, g and k at hand."""
    return layers(f"{V}x = x + tanh({one})", f"{V}x = x + tanh({other})")


SAME = {
    "nothing": (L, L),
    "a local's name": layers("h = linear(x, d)\nx = x + relu(h)", "w = linear(x, d)\nx = x + relu(w)"),
    "a definition's name": (
        {"layer": "x = f(x)", "where": "f(h): h -> linear(d) -> relu"},
        {"layer": "x = g(x)", "where": "g(z): z -> linear(d) -> relu"},
    ),
    "a parameter's name": (
        {"layer": "x = (1 + eps) * x", "where": "eps: scalar(0)"},
        {"layer": "x = (1 + a) * x", "where": "a: scalar(0)"},
    ),
    "a state's name": (
        L, {"input": "y = encode(x, d)", "layer": "h = linear(y, d)\ny = y + relu(h)", "output": "linear(y, out)"}
    ),
    "a size's name": (L, {"sizes": "{w: 8}", "input": "x = encode(x, w)", "layer": L["layer"].replace("d)", "w)")}),
    "an inlined function": ({"layer": "x = x + f(x)", "where": "f(h): h -> linear(d) -> relu"}, L),
    "an inlined pipe": layers("x = x -> linear(d) -> relu", "x = relu(linear(x, d))"),
    "a function as an argument": ({"layer": "x = residual(x, h => relu(linear(h, d)))"}, L),
    "an explicit default": layers("x = linear(x, d)", "x = linear(x, d, bias = true)"),
    "an explicit option": layers("x = leaky_relu(x)", "x = leaky_relu(x, 0.01)"),
    "the library's default": ({"layer": "x = mlp(x)"}, {"layer": "x = mlp(x, norm = batch_norm)"}),
    "a library definition written out": (
        {"layer": "x = mlp(x)"}, {"layer": "x = x -> linear(d) -> batch_norm -> relu -> linear(d)"}
    ),
    "statements in another order": layers(
        "f = linear(x, d)\ng = tanh(x)\nx = f * g", "g = tanh(x)\nf = linear(x, d)\nx = f * g"
    ),
    "states in another order": (
        {"input": "x = encode(x, d)\ny = 2 * x", "layer": "x = x + y\ny = linear(y, d)"},
        {"input": "z = encode(x, d)\ny = 2 * z\nx = z", "layer": "y, x = linear(y, d), x + y"},
    ),
    "two blocks for one": (
        {"stack": "2 * layer", "layer": "x = linear(x, d)\nx = x + tanh(x)"},
        {"stack": "2 * (layer -> b)", "layer": "x = linear(x, d)", "where": "b: x = x + tanh(x)"},
    ),
    "repeats written out": ({"stack": "2 * layer", **L}, {"stack": "layer -> layer", **L}),
    "what nothing reads": layers("x = tanh(x)", "h = sin(x)\nx = tanh(x)"),
    "a product turned": values("f * g", "g * f"),
    "a sum turned": values("f + g", "g + f"),
    "brackets of a sum": values("(f + g) + k", "f + (g + k)"),
    "brackets of a product": values("(f * g) * k", "f * (k * g)"),
    "brackets of differences": values("f - (g - k)", "(k - g) + f"),
    "times 1": values("1 * f", "f / 1"),
    "plus 0": values("f + 0", "f"),
    "a sign twice": values("--f", "f"),
    "a sign moved": values("-f * g", "f * (-g)"),
    "a sign of a sum": values("-(f - g)", "g - f"),
    "twice": values("f + f", "2 * f"),
    "a number over a sum": values("(f + g) / 4", "0.25 * f + g / 4"),
    "over a product": values("f / (g * k)", "f / g / k"),
    "over a quotient": values("f / (g / k)", "k * f / g"),
    "a square": values("f * f", "f ** 2"),
    "square": values("square(f)", "f * f"),
    "a reciprocal": values("g * reciprocal(2 + abs(f))", "g / (2 + abs(f))"),
    "rsqrt": values("rsqrt(1 + f * f)", "1 / sqrt(f ** 2 + 1)"),
    "numbers in another order": values("f * 0.1 * 3", "3 * f * 0.1"),
    "numbers computed": values("f * sqrt(16)", "f * 4"),
    "maximum turned": values("maximum(f, tanh(g))", "maximum(tanh(g), f)"),
    "minimum turned": values("minimum(f, tanh(g))", "minimum(tanh(g), f)"),
    "or, turned": values("f if f < g or k < 1 else k", "f if k < 1 or f < g else k"),
    "equal, turned": values("f if f == tanh(g) else k", "f if tanh(g) == f else k"),
    "unequal, turned": values("f if f != tanh(g) else k", "f if tanh(g) != f else k"),
    "a comparison turned": values("f if f < g else k", "f if g > f else k"),
    "at most, turned": values("f if f <= g else k", "f if g >= f else k"),
    "and, turned": values("f if f < g and k < 1 else k", "f if k < 1 and f < g else k"),
    "not, twice": values("f if not (not f < g) else k", "f if f < g else k"),
    "an index outside": layers("x = sum[j in N](relu(x[j]))", "x = sum[j in N](relu(x)[j])"),
    "a number out of a sum": layers("x = sum[j in N](2 * x[j])", "x = 2 * sum[j in N](x[j])"),
    "a factor out of a sum": layers(f"{V}x = sum[j in N](f[i] * g[j])", f"{V}x = f * sum[j in N](g[j])"),
    "queries and keys turned": layers(
        f"{Q}a = softmax[j in V](tanh(q)[i] @ k[j])\nx = sum[j](a[i,j] * v[j]) -> view(d)",
        f"{Q}a = softmax[j in V](k[j] @ tanh(q)[i])\nx = sum[j](v[j] * a[i,j]) -> view(d)",
    ),
    "a view of a view": layers("x = view(view(x, heads, c), d)", "x = view(x, d)"),
    "a set's name": (
        {"layer": "x = sum[j in near](x[j])", "where": "near: V if distance[i,j] <= 2"},
        {"layer": "x = sum[j in V if 2 >= distance[i,j]](x[j])"},
    ),
    "a condition on weights": layers(
        "h = linear(x)\nx = sum[j in V if h[j] > 0](x[j])", "w = linear(x)\nx = sum[j in V if w[j] > 0](x[j])"
    ),
    "dropout under another name": layers("h = dropout(x, 0.1)\nx = h", "x = dropout(x, 0.1)"),
    "a shared function by another name": (
        {"layer": "x = f(x) + f(tanh(x))", "where": "f: shared(g)\ng(h): linear(h, d)"},
        {"layer": "x = u(tanh(x)) + u(x)", "where": "u: shared(w)\nw(h): linear(h, d)"},
    ),
}  # fmt: skip

DIFFERENT = {
    "another function": values("relu(f)", "tanh(f)"),
    "an option": layers("x = linear(x, d)", "x = linear(x, d, bias = false)"),
    "a number": values("f + 1", "f + 2"),
    "a difference turned": values("f - g * g", "g * g - f"),
    "a quotient for a product": values("f * g", "f / g"),
    "a number inside": values("tanh(2 * f)", "2 * tanh(f)"),
    "a comparison turned alone": values("f if f < g * g else k", "f if g * g < f else k"),
    "a quotient turned": values("f / g", "g / f * f / f"),
    "one call for two": layers("h = linear(x, d)\nx = h * tanh(h)", "x = linear(x, d) * tanh(linear(x, d))"),
    "a scalar for two": (
        {"layer": "x = a * x + a * tanh(x)", "where": "a: scalar(1)"},
        {"layer": "x = a * x + b * tanh(x)", "where": "a: scalar(1)\nb: scalar(1)"},
    ),
    "shared for not shared": (
        {"layer": "x = f(x)", "where": "f: shared(g)\ng(h): linear(h, d)"},
        {"layer": "x = g(x)", "where": "g(h): linear(h, d)"},
    ),
    "tied for not tied": ({"stack": "tied(2 * layer)", **L}, {"stack": "2 * layer", **L}),
    "fewer layers": ({"stack": "2 * layer", **L}, {"stack": "3 * layer", **L}),
    "one draw for two": layers(
        "h = dropout(x, 0.5)\nx = h * tanh(h)", "x = dropout(x, 0.5) * tanh(dropout(x, 0.5))"
    ),
    "another set": layers("x = sum[j in N](x[j])", "x = sum[j in V](x[j])"),
    "another condition": layers(
        "x = sum[j in V if distance[i,j] <= 2](x[j])", "x = sum[j in V if distance[i,j] <= 3](x[j])"
    ),
    "an index turned": layers(
        f"{P}x = sum[j in V](p[i,j] * x[j])", f"{P}x = sum[j in V](p[j,i] * x[j])"
    ),
    "pre-norm for post-norm": layers("x = pre_norm(x, mlp)", "x = post_norm(x, mlp)"),
    "another width": layers("x = x -> linear(2 * d) -> linear(d)", "x = x -> linear(3 * d) -> linear(d)"),
    "another initial value": layers("x = x * scalar(0)", "x = x * scalar(1)"),
    "frozen": (
        {"layer": "x = x * eps", "where": "eps: scalar(0)"},
        {"layer": "x = x * eps", "where": "eps: scalar(0)", "parameters": "layers.*.eps: {frozen: true}"},
    ),
    "axes meet otherwise": (
        {"sizes": "{d: 4, a: 2, b: 2}", "layer": "x = view(x, a, b) * vector(a, 1) -> view(d)"},
        {"sizes": "{d: 4, a: 2, b: 2}", "layer": "x = view(x, a, b) * vector(b, 1) -> view(d)"},
    ),
    "a mean for a sum": layers("x = mean[j in N](x[j])", "x = sum[j in N](x[j])"),
    "no gradient": layers("x = x + linear(x, d)", "x = x + linear(detach(x), d)"),
    "a penalty": (L, {**L, "penalty": "0.1"}),
}  # fmt: skip


@cache
def programs(title: str) -> tuple[Program, Program]:
    """The programs of a pair."""
    first, second = (SAME | DIFFERENT)[title]
    return program(**first), program(**second)


@pytest.mark.parametrize("title", SAME)
def test_one_architecture(title: str) -> None:
    """And the reference, which knows nothing of normal forms, gives the same with the weights mapped."""
    first, second = programs(title)
    mapping = same(first, second)
    assert mapping is not None
    excess = compared(first, second, mapping, CATEGORIES)
    assert excess is not None
    assert excess <= 1


@pytest.mark.parametrize("title", DIFFERENT)
def test_two_architectures(title: str) -> None:
    first, second = programs(title)
    assert same(first, second) is None
    assert same(second, first) is None


def test_initial_values_may_be_left_out() -> None:
    first, second = programs("another initial value")
    assert same(first, second, by_shape)


MUTANTS = {
    "a sign lost": ("sub", arithmetic.summed(1, 1)),
    "a quotient as a product": ("div", arithmetic.multiplied(1, 1)),
    "a nonlinear function as a linear one": ("tanh", arithmetic.linear_in),
    "an order that matters": ("lt", arithmetic.any_order),
    "a transpose undone": ("transpose", lambda node, at, marks: at.scaled(node.operands[0])),
    "a gradient let through": ("detach", lambda node, at, marks: at.scaled(node.operands[0])),
    "weights without names": ("linear", lambda node, at, marks: arithmetic.plain(node, at, ())),
    "draws that are one": ("dropout", lambda node, at, marks: arithmetic.plain(node, at, ())),
}


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_wrong_rule_is_noticed(mutant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It makes one of two architectures."""
    op, rule = MUTANTS[mutant]
    monkeypatch.setattr(arithmetic, "RULES", {**arithmetic.RULES, op: rule})
    assert any(same(*programs(title)) is not None for title in DIFFERENT)


def compared(first: Program, second: Program, mapping: Mapped, facts: Facts) -> float | None:
    """How far apart two programs are when weights go by a mapping, outputs and gradients, in units of what noise does;
    None where noise does too much."""
    graphs = [furnished(one, facts, 5) for one in batch("everything", facts.letters, facts.features, 5)]
    weights = {name: value + 0.1 * (value == 0) for name, value in initial_weights(first).items()}
    names = {name: of_mark(name, mapping) for name in weights}
    given = initial_weights(second) | {names[name]: value for name, value in weights.items()}
    wanted = of_reference(first, graphs, weights, training=True)
    limits = bound(lambda: of_reference(first, graphs, weights, training=True), wanted)
    if not limits.usable:
        return None
    found = of_reference(second, graphs, {name: given[name] for name in initial_weights(second)}, training=True)
    back = {there: here for here, there in names.items()}
    turned = {back.get(name, name): gradient for name, gradient in found.gradients.items()}
    return limits.excess(differences(replace(found, gradients=turned), wanted))


def of_mark(name: str, mapping: Mapped) -> str:
    """The name of a tensor in the other program: that of its call mapped."""
    for mark, partner in mapping.items():
        if name == mark or name.startswith(f"{mark}."):
            return partner + name.removeprefix(mark)
    return name


@pytest.mark.parametrize("rule", sorted(arithmetic.RULES))
def test_every_rule_has_a_pair_that_needs_it(rule: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a rule some pair is told apart, but for rules that only carry numbers through."""
    monkeypatch.setattr(arithmetic, "RULES", {name: one for name, one in arithmetic.RULES.items() if name != rule})
    lost = any(same(*programs(title)) is None for title in SAME)
    assert lost == (rule not in CARRIERS)


CARRIERS = {"gather_cross", "transpose", "restrict", "gather_target", "mean", "detach", "spread"}
"""Rules that take numbers out of what other rules have put them into."""


def turned_round(thing: T) -> T:
    """A tree in which the operands of every `+` and `*` have changed places."""
    if isinstance(thing, tuple):
        return type(thing)(map(turned_round, thing))  # type: ignore[return-value]
    if not isinstance(thing, tree.Node):
        return thing
    parts = {name: turned_round(getattr(thing, name)) for name in thing.__dataclass_fields__ if name != "span"}
    if isinstance(thing, tree.Binary) and thing.op in "+*":
        parts["left"], parts["right"] = parts["right"], parts["left"]
    return replace(thing, **parts)


def turned_spec(spec: Spec) -> Spec:
    """A spec in which all sums and products are the other way round, and its definitions in another order."""
    definitions = {name: turned_round(one) for name, one in reversed(spec.definitions.items())}
    return replace(spec, definitions=definitions, input=turned_round(spec.input), output=turned_round(spec.output))


def without_settings(spec: Spec) -> Spec:
    """A spec that says nothing of weights by their names, which may be others when it is turned."""
    return replace(spec, settings=spec.settings.model_copy(update={"parameters": {}}))


SLIPS = (
    *[(r" [-+*] ", by) for by in (" + ", " * ", " - ")],
    *[(r"\b[01](\.\d+)?\b", by) for by in ("0", "1", "2", "0.5")],
    *[(r"(?<=\W)(tanh|sigmoid)(?=\()", by) for by in ("tanh", "sigmoid")],
    *[(r"\[j\]", "[i]"), (r"\b(sum|mean|max)(?=\[)", "sum"), (r"(?<=in )(V|N)(?=[\],])", "V")],
)
"""A pattern, and what stands in place of one of its matches."""


def slipped(text: str, random: Random) -> str:
    """A text with a slip."""
    pattern, by = random.choice(SLIPS)
    places = [*re.finditer(pattern, text)]
    at = random.choice(places) if places else None
    return text[: at.start()] + by + text[at.end() :] if at else text


def test_random_programs() -> None:
    """Turned round they are one; with a slip they are one only where the reference, too, says that nothing changed."""
    seen: Counter[str] = Counter()

    @settings(max_examples=2, suppress_health_check=list(HealthCheck))
    @given(PROGRAMS, st.randoms(use_true_random=False))
    def each(drawn: tuple[str, Facts], random: Random) -> None:
        text, facts = drawn
        spec = without_settings(parse_spec(text))
        first = compile_spec(spec, facts).program
        others = [(True, turned_spec(spec))]
        for _ in range(6):
            with suppress(SpecError):
                others.append((False, without_settings(parse_spec(slipped(text, random)))))
        for turned, other in others:
            try:
                second = compile_spec(other, facts).program
            except SpecError:  # also where the axes of a product come from its left operand
                continue
            mapping = same(first, second)
            seen["one" if mapping is not None else "two"] += 1
            assert mapping is not None or not turned, text
            if mapping is not None and (turned or other.text != spec.text) and random.random() < 0.5:
                excess = compared(first, second, mapping, facts)
                assert excess is None or excess <= 1, f"{text}\n{other.text}"

    each()
    assert seen["one"] > 1, seen
    assert seen["two"] > 1, seen
