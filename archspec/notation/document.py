"""A spec's equations as a whole: lines for a terminal, or a LaTeX document that compiles with `pdflatex`."""

from archspec.notation.formula import Formula, Row, Symbol
from archspec.notation.latex import SPECIAL, latex
from archspec.notation.spec import formulas
from archspec.notation.text import text
from archspec.syntax.spec import Spec


def terminal(spec: Spec) -> str:
    """Every part under its name, a formula a line."""
    blocks = ["\n".join([title, *(f"  {text(one)}" for one in found)]) for title, found in formulas(spec)]
    about = f": {spec.settings.about}" if spec.settings.about else ""
    return "\n\n".join([f"{spec.name}{about}", *blocks]) + "\n"


HEAD = r"""\documentclass[fleqn]{article}
\usepackage[T1]{fontenc}
\usepackage{amsmath,amssymb}
\usepackage[margin=2cm]{geometry}
\setlength{\parindent}{0pt}
\allowdisplaybreaks
"""


def document(spec: Spec) -> str:
    """A LaTeX document: every part is a paragraph with its formulas in `align*`, which can be copied alone."""
    parts = [f"\\paragraph{{{plain(title)}}}\n{aligned(found)}\n" for title, found in formulas(spec)]
    about = f"\n\n{plain(spec.settings.about)}" if spec.settings.about else ""
    title = f"\\section*{{{plain(spec.name)}}}{about}"
    return "\n".join([HEAD, r"\begin{document}", title, "", *parts, r"\end{document}", ""])


def aligned(found: list[Formula]) -> str:
    """Formulas below each other, at the sign where each is defined."""
    lines = " \\\\\n".join(f"  {at_sign(one)}" for one in found)
    return f"\\begin{{align*}}\n{lines}\n\\end{{align*}}"


def at_sign(one: Formula) -> str:
    """A formula with `&` before its first `=` or `←`, else at its beginning."""
    items = one.items if isinstance(one, Row) else (one,)
    place = next((at for at, item in enumerate(items) if isinstance(item, Symbol) and item.kind == "sign"
                  and item.text in ("=", "←", ":")), None)  # fmt: skip
    if place is None:
        return f"& {latex(one)}"
    left, right = (latex(Row(part)) for part in (items[:place], items[place:]))
    return f"{left} &{right}"


ACCENTS = {"ε": r"$\varepsilon$", "σ": r"$\sigma$", "·": r"$\cdot$", "−": "-", "–": "--", "…": r"\ldots{}", "²": "$^2$"}


def plain(words: str) -> str:
    """Words outside of mathematics."""
    escaped = words.translate(SPECIAL)
    return "".join(ACCENTS.get(letter, letter) for letter in escaped)
