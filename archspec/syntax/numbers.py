"""How a number is written: in equations and in YAML alike, so that every reader reads it back as the same number."""

import math


def number_text(value: int | float) -> str:
    """`3`, `0.5`, `100.0`, `inf`; for very small and large numbers the exponent form where it is shorter: `1e-3`."""
    decimal = repr(value)
    if isinstance(value, int) or not math.isfinite(value) or 0.01 <= abs(value) < 1e5 or value == 0:
        return decimal
    places = next(places for places in range(18) if float(f"{value:.{places}e}") == value)
    digits, _, exponent = f"{value:.{places}e}".partition("e")
    short = f"{digits}e{int(exponent)}"
    return short if "e" in decimal or len(short) < len(decimal) else decimal
