"""Specs with a mistake in them: rows of what is changed where, drawn for a text that compiles.

A mutated text may still be a spec; then it computes what it says, like any other.
"""

import re
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from hypothesis import strategies as st

from archspec.diagnostics import Diagnostic, SpecError, render
from archspec.facts import Facts
from archspec.pipeline import compile_spec
from archspec.syntax.load import parse_spec
from tests.compiling import FILES

LIMIT = 10
"""Seconds of processor time after which compiling counts as endless."""

NAME = r"\b[A-Za-z_]\w*\b"
SET = r"(?<= in )[^\](,]*?(?=\])"
TOKEN = r"\w+|\*\*|->|=>|\.\.|[<>=!]=|[^\w\s]"
ROWS: Mapping[str, tuple[str, str]] = {
    "an index dropped": (r"\[\w\]|, j\b|i, ", ""),
    "another index": (r"(?<=[\[ ])[ijk](?=[\],])", "i¦j¦k¦t¦0"),
    "an index more": (r"\[j\]", "[j, j]¦[i, j]¦[i, j, k]¦[j][j]"),
    "an unknown name": (NAME, r"\g<0>z¦foo¦x¦y¦h9"),
    "a name misspelt": (rf"({NAME[:-2]})(?=\w)", r"\1"),
    "a name of another kind": (NAME, "d¦heads¦N¦V¦near¦tanh¦linear¦layer¦scaled¦i¦out"),
    "a word of the language": (NAME, "in¦if¦else¦not¦and¦or¦true¦inf¦nan¦depth¦layers"),
    "a bracket dropped": (r"[()\[\]]", ""),
    "a bracket of another kind": (r"[()\[\]]", "(¦)¦[¦]¦{¦}"),
    "a bracket more": (r"[()\[\]]", r"\g<0>\g<0>"),
    "a wrong axis": (r", (d|heads|c|out)(?=[,)])", ", d¦, c¦, e¦, 0¦, -1¦, x¦, inf¦, 3¦, d, d¦"),
    "another set": (SET, "N¦V¦x¦y¦3¦reach(0)¦reach(-1)¦reach(x)¦expander(3)¦N + j¦N - 1¦tanh¦i"),
    "a set with a wrong condition": (
        SET,
        "V if x¦V if x[j]¦V if linear(x)[j]¦N if 3¦drop(N, 2)¦drop(x, 0.1)¦N if c > 1¦V if foo",
    ),
    "no set": (r" in [^\](,]*?(?=\])", "¦ in¦ in N in N"),
    "wrong arguments": (r"(?<=\w)\(", "(2, ¦(x, ¦(foo = 1, ¦(bias = 2, ¦((¦()(¦(h => h, "),
    "wrong last arguments": (r"\)", ", 2)¦, x)¦, foo = 1)¦, bias = x)¦, d = 3)¦, tanh)¦, h => h)"),
    "a norm inside": (r"\w+\[[ij]\]", r"batch_norm(\g<0>)¦graph_norm(\g<0>)¦dropout(\g<0>, 0.5)"),
    "a state in a function": (r"\bh\b", "x¦y¦e¦pos¦degree¦layers(x)"),
    "another operator": (
        r" (\+|-|\*|/|->|@|<=|>|==|if|else|and|or|=|=>) ",
        " + ¦ @ ¦ -> ¦ ** ¦ = ¦ == ¦ and ¦ if ¦ else ¦ .. ¦ => ¦ < ¦ / ¦, ¦ ¦ in ",
    ),
    "another number": (
        r"\b\d+(\.\d+)?\b",
        '0¦-1¦inf¦1e999¦1e-400¦"two"¦true¦x¦3¦0.5¦0..4¦(0, 2)¦nan¦1/0¦07',
    ),
    "another reduction": (r"\b\w+(?=\[\w)", "softmax¦std¦sum¦tanh¦max¦prod¦sum[j]¦linear¦x"),
    "an operand alone": (r" [-+*/@] [\w(\[\])]+", "¦ +¦ - -"),
    "a left side changed": (
        r"^ +[\w, \[\]]+ = ",
        "      ¦      x = ¦      y, x = ¦      x[i] = ¦      i = ¦      3 = ",
    ),
    "a line dropped": (r"^.*\n", ""),
    "a line doubled": (r"^.*\n", r"\g<0>\g<0>"),
    "another indent": (r"^ +", "¦ ¦\t¦\\g<0> ¦\\g<0>  ¦   "),
    "a key changed": (r"^ *\w+(?=:)", r"\g<0>z¦  stack¦  output¦    layer¦x¦  'a b'¦  3¦"),
    "a value of another kind": (r"(?<=: )\S.*$", "¦3¦x¦[1, 2]¦{a: 1}¦null¦|¦x = 1¦true¦-¦- x¦*x¦&x"),
    "a stray character": (r"(?<=\S) ", "¦:¦: ¦#¦ # ¦'¦\"¦\\¦\t¦;¦$¦é¦\u200b¦\x07¦`¦!¦?¦%"),
}
"""What is wrong: a pattern, and what may stand in place of one of its matches."""

ORDER = ("tokens change places", "a token dropped", "a token doubled", "two mistakes")


@st.composite
def mutated(draw: st.DrawFn, text: str) -> str:
    """The text with one mistake, or two."""
    name = draw(st.sampled_from([*ROWS, *ORDER]))
    if name == "two mistakes":
        return draw(mutated(draw(mutated(text))))
    if name in ROWS:
        pattern, options = ROWS[name]
        return replaced(text, matches(text, pattern), draw, draw(st.sampled_from(options.split("¦"))))
    tokens = matches(text, TOKEN)
    if name == "tokens change places":
        return replaced(text, tokens, draw, draw(st.sampled_from(tokens))[0])
    return replaced(text, tokens, draw, "" if name == "a token dropped" else r"\g<0> \g<0>")


def matches(text: str, pattern: str) -> list[re.Match[str]]:
    """All places below the name of the spec where the pattern fits."""
    return [*re.finditer(pattern, text[: text.rfind("\n") + 1], re.MULTILINE)]


def replaced(text: str, found: list[re.Match[str]], draw: st.DrawFn, by: str) -> str:
    """The text with one of the matches replaced; as it is where there is none."""
    if not found:
        return text
    one = draw(st.sampled_from(found))
    new = one.expand(by) if re.search(r"\\(g<|1)", by) else by
    return text[: one.start()] + new + text[one.end() :]


def whole_files() -> dict[str, str]:
    """The specs that come with archspec and extend no other."""
    texts = {name: path.read_text(encoding="utf-8") for name, path in FILES.items()}
    return {name: text for name, text in texts.items() if "extends:" not in text and "track:" not in text}


def refusal(text: str, facts: Facts) -> list[str] | None:
    """What is wrong with how the compiler refuses a text; None where it compiles."""
    try:
        with limited():
            compile_spec(parse_spec(text), facts).code
    except SpecError as error:
        return [*wrong_refusal(error.diagnostics, text)]
    return None


def wrong_refusal(diagnostics: tuple[Diagnostic, ...], text: str) -> Iterator[str]:
    """What diagnostics lack: a place in the text, a known code, a message, a cure."""
    if not any(one.span is not None for one in diagnostics):
        yield f"no place: {diagnostics}"
    if "bug in archspec" in (shown := render(diagnostics)):
        yield shown
    for one in diagnostics:
        if (
            one.span is not None
            and one.span.source.text == text
            and not 0 <= one.span.start <= one.span.end <= len(text)
        ):
            yield f"outside the text: {one}"
        if one.code not in cures() or one.code == "E0300" or not one.message.strip():
            yield f"an unknown code, or no message: {one}"
        elif needs_cure(one.code) and not one.help:
            yield f"no cure: {one.code} {one.message}"


@contextmanager
def limited() -> Iterator[None]:
    """TimeoutError where what is within takes too long."""

    def stop(*anything: object) -> None:
        raise TimeoutError(f"more than {LIMIT} seconds")

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, LIMIT)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


@cache
def cures() -> dict[str, str]:
    """The cure of every code in the table of codes."""
    page = (Path(__file__).parents[1] / "docs" / "errors.md").read_text(encoding="utf-8")
    return dict(re.findall(r"^\| (E\d{4}) \| .*? \| (.*?) \|", page.replace(r"\|", "¦"), re.MULTILINE))


SOMETIMES = frozenset({"E0201", "E0401"})
"""Codes whose cure is a name that looks like the wrong one, where there is such a name."""


def needs_cure(code: str) -> bool:
    """Whether every problem with this code says how it is mended."""
    return code not in SOMETIMES and bool(cures()[code]) and not cures()[code].startswith("none")
