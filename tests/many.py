"""Many random programs once, far more than the suite holds.

    python -m tests.many modules 1000 --seed 7
    python -m tests.many passes 1000 --seed 7
    python -m tests.many mutations 1000 --seed 7

Prints a tally, and the text of every program that is not what the reference says; exits with 1 if there was one.
"""

import argparse
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable

import torch
from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.drawing import FINE, JUDGES
from tests.judging import Verdict


def main() -> int:
    """Draw, judge, tell."""
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=JUDGES)
    parser.add_argument("count", type=int)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    judge, strategy = JUDGES[asked.kind]
    tally: Counter[str] = Counter()
    worst, start = [0.0], time.time()

    @seed(asked.seed)
    @settings(
        max_examples=asked.count,
        deadline=None,
        database=None,
        derandomize=False,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def each(drawn: tuple) -> None:
        found = attempt(judge, drawn)
        tally[found.name] += 1
        if found.name == "agrees":
            worst[0] = max(worst[0], found.excess)
        if found.name not in FINE:
            (text, facts), *rest = drawn
            told = f"--- {found.name} by {found.excess:.1e}: {found.told}"
            print(f"{told}\n{tuple(rest)}\n{facts.task} {facts.letters}\n{text}", flush=True)

    each()
    took = f"worst {worst[0]:.2g} of the bound, {time.time() - start:.0f} s"
    print(f"{asked.kind} --seed {asked.seed}: {dict(tally)}, {took}")
    return int(any(name not in FINE for name in tally))


def attempt(judge: Callable[..., Verdict], drawn: tuple) -> Verdict:
    """The verdict; any exception is one too."""
    try:
        return judge(*drawn)
    except Exception:
        return Verdict("raises", told=traceback.format_exc(limit=-4))


if __name__ == "__main__":
    sys.exit(main())
