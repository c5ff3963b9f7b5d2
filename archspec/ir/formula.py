"""Sizes as the text computes them: `4 * d` beside the number 256, so that costs can be told as formulas."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Formula:
    """Two sizes and an operator of the language between them."""

    op: str
    left: "Term"
    right: "Term"


Term = int | float | str | Formula
"""A number, the name of a size, or what is computed from others."""
