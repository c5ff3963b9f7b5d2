"""The global generators of random numbers: their state, and a while in which they are left as they were."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch


def random_state() -> dict[str, Any]:
    """The state of the global generators: torch's for dropout, the others for modules of the user's own."""
    name, words, *rest = np.random.get_state()
    return {
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
        "python": random.getstate(),
        "numpy": (str(name), torch.from_numpy(np.asarray(words).astype(np.int64)), *rest),
    }


def set_random_state(kept: dict[str, Any]) -> None:
    """Put the generators back."""
    torch.set_rng_state(kept["torch"])
    if kept["cuda"] and len(kept["cuda"]) == torch.cuda.device_count():
        torch.cuda.set_rng_state_all(kept["cuda"])
    version, words, gauss = kept["python"]
    random.setstate((version, tuple(words), gauss))
    name, numbers, *rest = kept["numpy"]
    np.random.set_state((name, numbers.numpy().astype(np.uint32), *rest))


@contextmanager
def untouched() -> Iterator[None]:
    """Whatever is drawn meanwhile, the generators go on from where they were."""
    kept = random_state()
    try:
        yield
    finally:
        set_random_state(kept)
