"""Random syntax trees and texts, for hypothesis."""

from hypothesis import strategies as st

from archspec.source import SourceFile, Span
from archspec.syntax import tree

NOWHERE = Span(SourceFile("<tree>", ""), 0, 0)

NAMES = st.sampled_from(("x", "h", "eps2", "linear", "d", "N", "softmax", "a_b", "inner", "_", "trueish", "e1"))
INDICES = st.sampled_from(("i", "j", "k"))

names = st.builds(tree.Name, st.just(NOWHERE), NAMES)
indices = st.builds(tree.Name, st.just(NOWHERE), INDICES)
numbers = st.one_of(
    st.integers(0, 2**63 - 1),
    st.floats(0, allow_nan=False, allow_infinity=True),
    st.booleans(),
    st.text(st.sampled_from("abG# :'(é"), max_size=5),
)
literals = st.builds(tree.Literal, st.just(NOWHERE), numbers)


def calls(function: st.SearchStrategy[tree.Expr], inner: st.SearchStrategy[tree.Expr]) -> st.SearchStrategy[tree.Call]:
    """Calls whose named arguments come last, each once."""
    positional = st.lists(st.builds(tree.Argument, st.just(NOWHERE), st.none(), inner), max_size=3)
    named = st.lists(
        st.builds(tree.Argument, st.just(NOWHERE), NAMES, inner), max_size=2, unique_by=lambda one: one.name
    )
    arguments = st.builds(lambda first, last: (*first, *last), positional, named)
    return st.builds(tree.Call, st.just(NOWHERE), function, arguments)


def several(inner: st.SearchStrategy[tree.Expr], least: int) -> st.SearchStrategy[tuple[tree.Expr, ...]]:
    """A tuple of them."""
    return st.lists(inner, min_size=least, max_size=3).map(tuple)


def lambdas(inner: st.SearchStrategy[tree.Expr]) -> st.SearchStrategy[tree.Lambda]:
    """Functions without a name."""
    ids = st.lists(NAMES, min_size=1, max_size=3, unique=True)
    parameters = ids.map(lambda drawn: tuple(tree.Name(NOWHERE, one) for one in drawn))
    return st.builds(tree.Lambda, st.just(NOWHERE), parameters, inner)


def as_end(expr: tree.Expr) -> tree.Expr:
    """An end of a range: as a number it is whole."""
    whole = not isinstance(expr, tree.Literal) or type(expr.value) is int
    return expr if whole else tree.Literal(NOWHERE, 7)


def larger(inner: st.SearchStrategy[tree.Expr]) -> st.SearchStrategy[tree.Expr]:
    """Every form, out of smaller expressions."""
    here = st.just(NOWHERE)
    operators = st.sampled_from(["+", "-", "*", "/", "**", "@", "<", "<=", ">", ">=", "==", "!=", "and", "or"])
    ends = inner.map(as_end)
    stages = st.lists(st.one_of(names, calls(inner, inner), lambdas(inner)), min_size=1, max_size=3).map(tuple)
    return st.one_of(
        st.builds(tree.Unary, here, st.sampled_from(("-", "not")), inner),
        st.builds(tree.Binary, here, operators, inner, inner),
        st.builds(tree.Choice, here, inner, inner, st.none() | inner),
        calls(inner, inner),
        st.builds(tree.Index, here, inner, st.lists(indices, min_size=1, max_size=2).map(tuple)),
        st.builds(tree.Reduce, here, names, indices, st.none() | inner, inner),
        st.builds(tree.Pipe, here, inner, stages),
        lambdas(inner),
        st.builds(tree.Range, here, ends, ends),
        st.builds(tree.Sequence, here, several(inner, 1)),
    )


expressions = st.recursive(literals | names, larger, max_leaves=12)

PAIRS = st.permutations(("i", "j", "k")).map(lambda ids: tuple(tree.Name(NOWHERE, one) for one in ids[:2]))


@st.composite
def targets(draw: st.DrawFn) -> tuple[tree.Target, ...]:
    """`h`, `a[i, j in V]`, several with different names."""
    names = draw(st.lists(NAMES, min_size=1, max_size=3, unique=True))
    over = [(draw(PAIRS), draw(expressions)) if draw(st.booleans()) else ((), None) for _ in names]
    return tuple(tree.Target(NOWHERE, name, *rest) for name, rest in zip(names, over, strict=True))


@st.composite
def assignments(draw: st.DrawFn) -> tree.Assign:
    """`a, b = …` with one value or as many as names."""
    left = draw(targets())
    count = draw(st.sampled_from((1, len(left))))
    return tree.Assign(NOWHERE, left, tuple(draw(expressions) for _ in range(count)))


@st.composite
def bodies(draw: st.DrawFn) -> tree.Body:
    """Statements and a result; one of the two may be missing."""
    statements = tuple(draw(st.lists(assignments(), max_size=3)))
    return tree.Body(NOWHERE, statements, draw(several(expressions, 0 if statements else 1)))


blocks = names | calls(names, expressions)


def larger_stage(inner: st.SearchStrategy[tree.Stage]) -> st.SearchStrategy[tree.Stage]:
    """Repeats, chains and tied stages out of smaller ones."""
    here = st.just(NOWHERE)
    return st.one_of(
        st.builds(tree.Repeat, here, expressions, inner),
        st.builds(tree.Chain, here, st.lists(inner, min_size=2, max_size=3).map(tuple)),
        st.builds(
            lambda stage: tree.Call(NOWHERE, tree.Name(NOWHERE, "tied"), (tree.Argument(NOWHERE, None, stage),)), inner
        ),
    )


stages = st.recursive(blocks, larger_stage, max_leaves=6)


@st.composite
def headings(draw: st.DrawFn) -> tree.Heading:
    """`name`, or `name(arguments)` with defaults last."""
    parameters = draw(st.lists(NAMES, max_size=3, unique=True))
    defaults = draw(st.integers(0, len(parameters)))
    built = tuple(
        tree.Parameter(NOWHERE, name, draw(expressions) if number >= defaults else None)
        for number, name in enumerate(parameters)
    )
    return tree.Heading(NOWHERE, draw(NAMES), built or draw(st.sampled_from((built, None))))


WORDS = "x j N = == => -> + - * ** ( ) [ ] , in if else and not 0 2.5 1e999 .. # \" ' ? σ < @ / : inf"
TOKENS = (*WORDS.split(" "), "\n", "\n  ", " ", "\t", "\r\n", "\0")

texts = st.one_of(st.text(max_size=40), st.lists(st.sampled_from(TOKENS), max_size=25).map("".join))
