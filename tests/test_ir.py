"""The typed language: axes, sets, its text, and that malformed programs are found out."""

from dataclasses import replace

import pytest

from archspec.ir.nodes import Node, Program, Section, in_order
from archspec.ir.ops import FUSED, OPERATIONS, PRIMITIVES
from archspec.ir.printer import expression, labels, program_text, ranges
from archspec.ir.rules import Mismatch, join_axes
from archspec.ir.sets import with_self, without_self
from archspec.ir.types import (
    ALL,
    EDGE,
    ERROR,
    MEMBERS,
    NEIGHBOURS,
    NEIGHBOURS_AND_SELF,
    NODE,
    Axis,
    Domain,
    IndexSet,
    Type,
    pair,
    places,
)
from archspec.ir.verify import FUSED as FUSED_DOMAINS
from archspec.ir.verify import INVARIANTS, Malformed, verify
from tests.checking import program
from tests.nodes import SPAN, fused, leaf, make, node_input, number, parameter, source, state, target

D, C, HEADS = Axis("d", 8), Axis("c", 4), Axis("heads", 2)
X = node_input(D)


def of(*results: Node) -> Program:
    """A program whose one layer makes these values, from the state x."""
    first = Section("Input", (("x", X),))
    layer = Section("layer", tuple((f"h{at}", one) for at, one in enumerate(results)))
    return Program("test", first, (layer,), Section("Output", (("", state("x", D)),)))


def node(op: str, *operands: Node, type: Type = X.type, path: str = "", **attributes: object) -> Node:
    """A node of any type, right or wrong."""
    return Node(op, operands, type, SPAN, tuple(attributes.items()), path)


PAIRS = replace(X.type, domain=EDGE)
ALL_PAIRS = Domain("pair", ALL)
TRIPLES = IndexSet("triples", pairs=ALL, third=NEIGHBOURS)
s = state("x", D)

MALFORMED: dict[str, list[Node]] = {
    "the operation is not in the table": [node("softplusplus", s)],
    "an error was not reported": [node("relu", s, type=ERROR)],
    "pairs have a set, all else has none": [
        node("relu", s, type=replace(X.type, domain=Domain("pair"))),
        node("relu", s, type=replace(X.type, domain=Domain("node", ALL))),
    ],
    "its type does not follow from its operands": [
        node("relu", s, type=replace(X.type, axes=(C,))),
        node("relu", s, type=PAIRS),
        node("add", s, source(s)),
        node("add", s, state("x", C)),
        node("linear", s, type=PAIRS, path="linear", bias=True),
        node("view", s, type=replace(X.type, axes=(C,))),
        node("lt", s, s),
        node("sum", source(s), type=replace(X.type, axes=()), over=NEIGHBOURS),
        node("gather_source", s, type=PAIRS, over=ALL),
    ],
    "it reduces another set than its operand's": [
        node("sum", source(s), over=ALL),
        node("max", source(s)),
        node("softmax", source(s), type=PAIRS, over=ALL),
    ],
    "it reads something that is not per node": [
        node("gather_source", source(s), type=PAIRS, over=NEIGHBOURS),
        node("gather_target", parameter("w", D), type=PAIRS, over=NEIGHBOURS),
        node("gather_target", s, type=X.type, over=MEMBERS),
        node("gather_source", s, type=replace(X.type, domain=pair(TRIPLES)), over=TRIPLES),
        node("gather_cross", source(s), type=replace(X.type, domain=pair(TRIPLES)), over=TRIPLES),
    ],
    "it turns pairs that may not be there": [
        node("transpose", source(s), type=PAIRS, over=NEIGHBOURS),
        node("transpose", source(s, ALL), type=replace(X.type, domain=ALL_PAIRS), over=NEIGHBOURS),
        node("transpose", s),
    ],
    "it reads pairs that are not there": [
        node("restrict", source(s), type=replace(X.type, domain=ALL_PAIRS), over=ALL),
        node("restrict", s, type=PAIRS, over=NEIGHBOURS),
    ],
    "what the graph gives lives elsewhere": [node("walk", type=PAIRS, numbers=(1,)), node("rwse", s, numbers=(1,))],
    "it spreads what has rows already": [node("spread", s, type=PAIRS, over=NEIGHBOURS)],
    "its operands live elsewhere": [
        node("neighbour_sum", source(s), over=NEIGHBOURS),
        node("neighbour_sum", s, type=PAIRS, over=NEIGHBOURS),
        node("weighted_sum", s, s, over=NEIGHBOURS),
        node("weighted_sum", source(s), s, over=ALL),
        node("pair_product", s, s, over=NEIGHBOURS),
        node("pair_matmul", s, s, over=ALL),
        node("pair_matmul", source(s), source(s), type=replace(X.type, domain=ALL_PAIRS), over=ALL),
        node("attention", s, s, over=ALL),
        node("attention", s, s, s, source(s), over=ALL),
    ],
    "its weights have no name": [
        node("linear", s, bias=True),
        node("parameter", type=Type(Domain("constant")), init=0),
    ],
}


def test_every_invariant_is_planted() -> None:
    assert set(MALFORMED) == {what for what, _ in INVARIANTS}


@pytest.mark.parametrize(("what", "wrong"), [(what, one) for what, rows in MALFORMED.items() for one in rows])
def test_malformed(what: str, wrong: Node) -> None:
    with pytest.raises(Malformed, match=what):
        verify(of(wrong))


def test_a_weight_of_two_calls() -> None:
    one, two = (make("linear", s, axes=(C,), path="linear", bias=True) for _ in range(2))
    elsewhere = replace(two, span=replace(SPAN, end=1))
    verify(of(one, two))
    with pytest.raises(Malformed, match="belongs to two calls"):
        verify(of(one, elsewhere))


def test_a_node_among_its_own_operands() -> None:
    loop = make("relu", s)
    loop.operands = (make("tanh", loop),)
    with pytest.raises(Malformed, match="among its own operands"):
        verify(of(loop))


STATES = {
    "of another type": Section("layer", (("x", state("x", C)),)),
    "that nobody made": Section("layer", (("x", state("y", D)),)),
    "of a layer it had not yet": Section("layer", (("x", state("x", C, layer=0)),)),
}


@pytest.mark.parametrize("title", STATES)
def test_states(title: str) -> None:
    good = of(s)
    with pytest.raises(Malformed, match="is not what it was made"):
        verify(replace(good, layers=(STATES[title],)))
    with pytest.raises(Malformed, match="is not what it was made"):
        verify(replace(good, input=Section("Input", (("x", s),))))


def test_well_formed_programs_pass() -> None:
    gate = make("sigmoid", make("add", target(s), source(s)))
    weight = make("linear", gate, path="linear", bias=True)
    verify(
        of(
            make("sum", make("mul", gate, source(s)), over=NEIGHBOURS),
            fused("weighted_sum", weight, s, axes=(D,), over=NEIGHBOURS),
            make("mean", make("restrict", source(s, ALL), over=NEIGHBOURS_AND_SELF), over=NEIGHBOURS_AND_SELF),
            make("max", make("spread", number(1), over=ALL), over=ALL),
            make("where", make("gt", s, number(0)), s, number(1)),
            make("concat", s, number(1), parameter("w", C)),
            make("inner", s, parameter("m", C, D)),
        )
    )


def test_fused_operations_have_domains() -> None:
    assert set(FUSED_DOMAINS) == {row.name for row in FUSED}


@pytest.mark.parametrize(
    ("own", "among", "expected"),
    [
        ((D,), (HEADS, D), [1]),
        ((D, HEADS), (HEADS, D), [1, 0]),
        ((Axis("", 8), D), (D, Axis("", 8)), [1, 0]),
        ((Axis("", 2), Axis("", 2)), (HEADS, C), [0, None]),
        ((Axis("", 4), C), (C,), [None, 0]),
        ((Axis("e", 8),), (D,), [None]),
        ((Axis("", None),), (D,), [0]),
        ((Axis("", None),), (Axis("out", None),), [0]),
        ((), (D,), []),
    ],
)
def test_places(own: tuple[Axis, ...], among: tuple[Axis, ...], expected: list[int | None]) -> None:
    assert places(own, among) == expected


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ((HEADS, C), (C,), (HEADS, C)),
        ((C,), (HEADS, C), (HEADS, C)),
        ((Axis("", 8),), (D,), (D,)),
        ((Axis("", 8), D), (D,), (Axis("", 8), D)),
        ((Axis("", 8), Axis("", 8)), (D,), (D, Axis("", 8))),
        ((), (D,), (D,)),
    ],
)
def test_joined_axes(left: tuple[Axis, ...], right: tuple[Axis, ...], expected: tuple[Axis, ...]) -> None:
    assert join_axes(left, right) == expected


@pytest.mark.parametrize(
    ("left", "right"), [((D,), (C,)), ((Axis("", 2), Axis("", 2)), (HEADS, C)), ((D, C), (HEADS, D))]
)
def test_axes_that_cannot_be_joined(left: tuple[Axis, ...], right: tuple[Axis, ...]) -> None:
    with pytest.raises(Mismatch):
        join_axes(left, right)


def reach(k: int) -> IndexSet:
    return IndexSet("reach", k)


CHAIN = [NEIGHBOURS, NEIGHBOURS_AND_SELF, reach(1), reach(2), reach(5), ALL]


def test_sets_lie_within_each_other() -> None:
    for at, small in enumerate(CHAIN):
        for after, large in enumerate(CHAIN):
            assert small.within(large) == (at <= after)
    assert reach(0).within(NEIGHBOURS_AND_SELF)
    assert not reach(0).within(NEIGHBOURS)
    assert not NEIGHBOURS.within(reach(0))


def without_i(over: IndexSet) -> IndexSet:
    return IndexSet("- i", base=over)


def test_sets_made_from_others_lie_within_them() -> None:
    expander, targets = IndexSet("expander", 4), IndexSet("targets")
    assert without_self(NEIGHBOURS_AND_SELF) == without_self(NEIGHBOURS) == without_i(NEIGHBOURS)
    assert without_self(expander) == expander
    assert with_self(without_i(NEIGHBOURS)) == NEIGHBOURS_AND_SELF
    assert with_self(without_i(ALL)) == with_self(ALL) == ALL
    assert without_self(with_self(expander)) == expander
    plus = with_self(expander)
    holds = {
        without_i(NEIGHBOURS): {NEIGHBOURS, NEIGHBOURS_AND_SELF, reach(2), ALL, without_i(ALL), without_i(reach(2))},
        without_i(reach(2)): {reach(2), ALL, without_i(ALL)},
        without_i(ALL): {ALL},
        expander: {ALL, without_i(ALL), plus},
        plus: {ALL},
        targets: {ALL},
        without_i(targets): {targets, ALL, without_i(ALL)},
        NEIGHBOURS: {NEIGHBOURS_AND_SELF, reach(2), ALL},
        ALL: set(),
        MEMBERS: set(),
    }
    for small in holds:
        for large in (*holds, NEIGHBOURS_AND_SELF, reach(2)):
            assert small.within(large) == (small == large or large in holds[small]), f"{small} in {large}"


@pytest.mark.parametrize("over", [*CHAIN, without_i(ALL), IndexSet("expander", 2)], ids=str)
def test_sets_are_printed_as_they_are_written(over: IndexSet) -> None:
    line = f"x = x + sum[j in {over}](x[j])"
    assert over in [node.get("over") for node in program(layer=line).layers[0].nodes]


def test_text_is_the_same_for_the_same_program() -> None:
    parts = {"layer": "h = linear(x, d)\nx = x + relu(h) * 2", "stack": "3 * layer"}
    assert program_text(program(**parts)) == program_text(program(**parts))
    assert program_text(program(**parts)) != program_text(program(**{**parts, "stack": "2 * layer"}))


def test_labels_are_unique() -> None:
    section = program(layer="h = linear(x, d)\nh = relu(h)\nx = h * h + eps", where="eps: scalar(0)").layers[0]
    names = [label for node, label in zip(section.nodes, labels(section).values(), strict=True)]
    assert names == ["x", "h", "h.2", "%1", "eps", "x.2"]


def test_options_at_their_defaults_are_left_out() -> None:
    section = program(layer="x = elu(linear(x, d)) + elu(linear(x, d, bias = false), 2)").layers[0]
    names = labels(section)
    assert [expression(node, names) for node in section.nodes][1:5] == [
        "linear(x) {linear}",
        "elu(%1)",
        "linear(x, bias=False) {linear_2}",
        "elu(%3, alpha=2)",
    ]


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        (["input"], "input"),
        (["layers.0", "layers.1"], "layers.0, layers.1"),
        (["layers.0", "layers.1", "layers.2"], "layers.0 … layers.2"),
        (["layers.0", "layers.2", "layers.3"], "layers.0, layers.2, layers.3"),
    ],
)
def test_headings(paths: list[str], expected: str) -> None:
    assert ranges(paths) == expected


def test_long_chains_do_not_recurse() -> None:
    value = leaf("data", Type(NODE, (D,)), name="x")
    for _ in range(5000):
        value = make("relu", value)
    assert len(in_order([value])) == 5001


def test_every_row_says_what_it_computes() -> None:
    for row in OPERATIONS.values():
        assert row.doc
    for row in PRIMITIVES.values():
        assert row.torch or row.source or row.name in ("concat", "view", "fill")
