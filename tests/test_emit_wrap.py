"""Long emitted lines are broken into shorter ones that mean the same."""

import ast
import keyword

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archspec.emit.wrap import WIDTH, wrapped

NAMES = st.from_regex(r"[a-z_]{1,12}", fullmatch=True).filter(lambda name: not keyword.iskeyword(name))


def larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Expressions such as are emitted: calls, groups, tuples, indices, methods, operators."""
    several = st.lists(inner, min_size=1, max_size=4)
    operator = st.sampled_from(["+", "-", "*", "/"])
    return st.one_of(
        st.tuples(NAMES, several).map(lambda parts: f"{parts[0]}({', '.join(parts[1])})"),
        st.tuples(inner, operator, inner).map(lambda parts: f"({' '.join(parts)})"),
        st.tuples(inner, operator, inner).map(lambda parts: f"f({' '.join(parts)})"),
        st.tuples(inner, operator, inner).map(lambda parts: f"({' '.join(parts)}).sum(-1)"),
        st.tuples(inner, operator, inner, operator, inner).map(lambda parts: f"{' '.join(parts)}".join("()")),
        several.map(lambda parts: f"torch.cat(({', '.join(parts)},), -1)"),
        st.tuples(NAMES, inner).map(lambda parts: f"{parts[0]}[:, None, {parts[1]}]"),
        inner.map(lambda part: f'batch.pairs("{"N + i"}", {part})'),
    )


VALUES = st.recursive(NAMES, larger, max_leaves=25)
TERMS = st.lists(VALUES, min_size=1, max_size=3).map(" + ".join)


@given(NAMES, TERMS, st.sampled_from([0, 4, 8, 100]))
def test_a_broken_line_means_the_same(name, value, indent):
    for line in (f"{name} = {value}", f"return {value}", f"{name}, x = {value}, x"):
        around = "def f():\n" if indent else ""
        text = "\n".join(wrapped(line, indent))
        whole = f"def f():\n {line}" if indent else line
        if not (line.startswith("return") and not indent):
            assert ast.dump(ast.parse(around + text)) == ast.dump(ast.parse(whole))


@pytest.mark.parametrize(
    "line",
    [
        f"x = (first[:, None, :] * {'value_with_a_long_name' * 4}).sum(-1)",
        f"y = ({' * '.join(['value_with_a_long_name'] * 8)}).sum(-1)",
        f"y = torch.tanh({' * '.join(['value_with_a_long_name'] * 8)})",
        f"y = ({'function_with_a_long_name(' * 6}x{')' * 6}).sum(-1)",
        f"y = torch.cat(({', '.join(['value_with_a_long_name'] * 8)},), -1)",
    ],
)
def test_lines_fit_and_groups_stay_groups(line):
    lines = wrapped(line, 8)
    assert all(len(one) <= WIDTH for one in lines)
    assert ast.dump(ast.parse("if x:\n" + "\n".join(lines))) == ast.dump(ast.parse(f"if x:\n {line}"))
