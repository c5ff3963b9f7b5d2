"""Numbers as they are recorded."""

import math


def four(value: float) -> float | None:
    """Four digits; None of what is not finite."""
    return float(f"{value:.4g}") if math.isfinite(value) else None
