"""How names are written: Greek letters by their names, digits at the end as an index, longer names upright."""

import re

from archspec.notation.formula import Below, Formula, Symbol

GREEK = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "eps": "ε", "epsilon": "ε", "zeta": "ζ", "eta": "η",
    "theta": "θ", "kappa": "κ", "lambda": "λ", "lam": "λ", "mu": "μ", "nu": "ν", "xi": "ξ", "pi": "π", "rho": "ρ",
    "sigma": "σ", "tau": "τ", "phi": "φ", "chi": "χ", "psi": "ψ", "omega": "ω", "inf": "∞",
}  # fmt: skip

FUNCTIONS = {"sigmoid": "σ"}
"""Functions that have a letter of their own."""


def name(text: str) -> Formula:
    """A name in a formula: `eps2` is ε with the index 2, `w_q` is w with the index q."""
    found = re.fullmatch(r"([A-Za-z]+?)_?(\d+)", text) or re.fullmatch(r"([A-Za-z]|[a-z]+)_([a-z]{1,2})", text)
    if found and letter(found[1]) is not None:
        return Below(stem(found[1]), Symbol(found[2], "number") if found[2].isdigit() else stem(found[2]))
    return stem(text)


def stem(text: str) -> Symbol:
    """A name without an index."""
    single = letter(text)
    return Symbol(text, "function") if single is None else Symbol(single, "variable")


def letter(text: str) -> str | None:
    """The one letter that a name is written as; None for a name that is written out."""
    return text if len(text) == 1 else GREEK.get(text)


def function(text: str) -> Formula:
    """A name that is called."""
    return Symbol(FUNCTIONS[text], "variable") if text in FUNCTIONS else name(text)
