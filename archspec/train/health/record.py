"""The form of what a run records of its health.

Three places of a run folder hold it: the entry `health` of an epoch's record in `metrics.jsonl` (an EpochHealth), a
line of `health.jsonl` for everything that went wrong (an Event), and `places.json`, which says where in the equations
every parameter and every value of those stands (a Places). Numbers have four digits; null stands for what is no finite
number or not defined, such as a ratio to weights that are all 0.
"""

from typing import NotRequired, TypedDict


class ParameterHealth(TypedDict):
    """One named parameter over an epoch. Gradients are taken before clipping; ‖·‖ is the Euclidean norm.

    The gradient is known of every step; the rest of the steps that are looked at (`train.watch.every`), so an epoch
    without such a step lacks it.
    """

    gradient: float | None
    """Mean of ‖g‖ over the steps of the epoch."""
    gradient_max: float | None
    """The largest ‖g‖ among them."""
    weight: NotRequired[float | None]
    """‖w‖ at the last look."""
    ratio: NotRequired[float | None]
    """Mean of ‖g‖/‖w‖ over the looks."""
    update: NotRequired[float | None]
    """Mean of ‖w after the step - w before it‖/‖w before it‖ over the looks."""


class DefinitionHealth(TypedDict):
    """All parameters together that one definition has in one part of the model, from their own figures."""

    gradient: float | None
    """The root of the sum of the squares of their `gradient`."""
    weight: NotRequired[float | None]
    """‖w‖ of all of them at the last look."""
    ratio: NotRequired[float | None]
    """The former over the latter."""


class ValueHealth(TypedDict):
    """One value of the equations, in training mode: means over the looks of an epoch."""

    mean: float | None
    """Of all entries."""
    std: float | None
    """Of all entries."""
    dead: NotRequired[float | None]
    """Of a relu: the share of features that were 0 in every row at every look of the epoch."""
    low: NotRequired[float | None]
    """Of a gate (a sigmoid): the share of entries below 0.01."""
    high: NotRequired[float | None]
    """Of a gate: the share above 0.99."""
    entropy: NotRequired[float | None]
    """Of attention (a softmax over j): the entropy of the weights of an i over the logarithm of how many j it has,
    which is 1 where all weigh alike and 0 where one j has all; the mean over those i with at least two j."""


class EpochHealth(TypedDict):
    """The entry `health` of an epoch's record."""

    looks: int
    """Steps of the epoch at which weights and values were looked at."""
    parameters: dict[str, ParameterHealth]
    """By name in `state_dict`, in the order of the module; frozen ones are left out."""
    definitions: dict[str, DefinitionHealth]
    """By part of the model and definition: `layers.0.gate`; a part itself, `layers.0`, for what its own text has."""
    values: dict[str, ValueHealth]
    """By name, in the order in which they are computed: `layers.0.gate.v`, see Place."""


class Place(TypedDict):
    """Where in the equations something stands."""

    definition: str
    """The definition it is written in: `gate`, or `input`, `output`, a block."""
    path: str
    """The file: the spec, a spec it extends, or one of the library."""
    line: int
    text: str
    """The line itself."""
    kind: NotRequired[str]
    """Of a value: its operation, such as `relu`, `sigmoid`, `softmax`, `linear`."""


class Places(TypedDict):
    """The content of `places.json`."""

    parameters: dict[str, Place]
    values: dict[str, Place]


class Event(TypedDict):
    """A line of `health.jsonl`: something went wrong. The same sign at the same name is told once in a run, of an
    explosion the first parameter of an epoch."""

    epoch: int
    """From 1."""
    step: int
    """Within the epoch, from 1; of what scores show, the last one."""
    sign: str
    """A row of `archspec.train.health.signs`, or `not finite`."""
    name: str
    """The parameter or value, or the score."""
    place: Place | None
    """None of what has no place, such as a score."""
    value: float | None
    """What was seen, None where it is not a finite number."""
    threshold: float
    message: str
    """In one line."""
    help: str
    """What may cure it."""
