"""Equations as mathematics: trees → formulas → LaTeX, MathML, or Unicode for a terminal."""
