"""What may go wrong, as a table: when it is told, why then, in which words, and what may cure it.

Every sign is a number of something (a parameter, a value, a section, a score) that is told when it stands above the
threshold so many times in a row. Thresholds are chosen so that the specs that come with archspec say nothing where they
learn (`docs/health.md` has the figures).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Sign:
    """One row."""

    name: str
    measure: str
    """What the number is."""
    threshold: float
    times: int
    """How often in a row it has to be above: steps, looks or epochs."""
    why: str
    """The reason for the threshold."""
    says: str
    """The message; {name}, {value} and what the measure adds to them."""
    help: str
    told: Literal["once a name", "once an epoch"] = "once a name"
    """How often it is told: at every name once in a run, or of an epoch only the first."""


SIGNS: Mapping[str, Sign] = {
    row.name: row
    for row in (
        Sign(
            "explosion",
            "‖g‖ of a parameter at a step over its usual size; of parameters with a tenth of the whole gradient",
            100.0,
            1,
            "its usual size is the geometric mean over about the last 100 steps; batches alone made it vary by up "
            "to 4.4 times",
            "the gradient of `{name}` is {value:.3g} times its usual size ({gradient:.3g}; {usual:.3g}){others}",
            "clip the gradient (`train.clip: 1.0`), take a smaller `train.optimizer.lr`, or normalise what this "
            "equation sums up",
            "once an epoch",
        ),
        Sign(
            "vanishing",
            "‖g‖/‖w‖ of the part of the model with most of it over that of this part, matrices alone",
            1e5,
            3,
            "parts of models that learnt differed by up to 5,000 times",
            "hardly any gradient arrives in `{name}`: ‖g‖/‖w‖ is {ratio:.2g}, and {most:.2g} in `{where}`",
            "add a residual (`x = x + …`) or a norm behind it, or take a nonlinearity that does not saturate",
        ),
        Sign(
            "dead",
            "share of the features of a relu that are 0 in every row looked at",
            0.9,
            3,
            "a feature that is always 0 gets no gradient and stays so; a tenth left carries next to nothing",
            "{value:.0%} of the features of `{name}` are 0 everywhere",
            "put a norm before the relu, take `leaky_relu` or `gelu`, or a smaller `train.optimizer.lr`",
        ),
        Sign(
            "saturated",
            "share of the entries of a gate below 0.01 or above 0.99",
            0.9,
            3,
            "there a sigmoid passes on less than 4 % of the gradient that it passes on in the middle",
            "{value:.0%} of the gate `{name}` is shut (below 0.01: {low:.0%}) or open (above 0.99: {high:.0%})",
            "normalise or scale down what goes into the sigmoid, or take a smaller `train.optimizer.lr`",
        ),
        Sign(
            "concentrated",
            "1 less the relative entropy of attention",
            0.98,
            3,
            "the weights of an i are then all but one-hot, and a softmax passes on no gradient",
            "the attention `{name}` has collapsed: each i attends to one j (relative entropy {entropy:.3f})",
            "scale the logits down, such as by `sqrt(c)`, or normalise queries and keys",
        ),
        Sign(
            "uniform",
            "relative entropy of attention",
            0.9999,
            10,
            "the weights of an i then differ by about 1 % of their mean, so that it is the mean over all j",
            "the attention `{name}` is a plain mean: all j weigh alike (relative entropy {entropy:.5f})",
            "give the logits something that tells the j apart: positions, distances, edges",
        ),
        Sign(
            "flips",
            "the second largest range, over three epochs in a row from the fifth on, of the validation recalls of "
            "the classes",
            0.5,
            1,
            "two classes whose recalls move by more than half are predicted in turns",
            "predictions swing between classes: over the epochs {epochs} the recall of class {rising} was {rises}, "
            "that of class {falling} {falls}",
            "take a smaller `train.optimizer.lr` or a schedule; where training scores do not swing, it is the running "
            "statistics of batch norms",
        ),
    )
}
