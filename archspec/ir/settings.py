"""What `parameters:` says of the weights: initial values, and which of them do not train, or not yet."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

Values = float | tuple["Values", ...]
"""A number, or numbers in rows as a tensor has them."""


@dataclass(frozen=True)
class Filling:
    """A function of torch.nn.init: its options with their defaults (None: it must be given) and the ranks it takes."""

    name: str
    options: "Options" = field(default_factory=dict)
    least: int = 0
    """Dimensions of a tensor at least."""
    most: int | None = None


Options = Mapping[str, float | str | None]

GAIN: Options = {"gain": 1.0}
KAIMING: Options = {"a": 0.0, "mode": "fan_in", "nonlinearity": "leaky_relu"}

FILLINGS: Mapping[str, Filling] = {
    row.name: row
    for row in (
        Filling("constant_", {"val": None}),
        Filling("ones_"),
        Filling("zeros_"),
        Filling("uniform_", {"a": 0.0, "b": 1.0}),
        Filling("normal_", {"mean": 0.0, "std": 1.0}),
        Filling("trunc_normal_", {"mean": 0.0, "std": 1.0, "a": -2.0, "b": 2.0}),
        Filling("eye_", least=2, most=2),
        Filling("xavier_uniform_", GAIN, least=2),
        Filling("xavier_normal_", GAIN, least=2),
        Filling("kaiming_uniform_", KAIMING, least=2),
        Filling("kaiming_normal_", KAIMING, least=2),
        Filling("orthogonal_", GAIN, least=2),
        Filling("sparse_", {"sparsity": None, "std": 0.01}, least=2, most=2),
    )
}
"""The functions of torch.nn.init that fill a weight of any graph network; a test compares the rows with torch."""

WORDS: Mapping[str, tuple[str, ...]] = {
    "mode": ("fan_in", "fan_out"),
    "nonlinearity": (
        *("linear", "sigmoid", "tanh", "relu", "leaky_relu", "selu"),
        *("conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d"),
    ),
}
"""What the options that are texts may be."""


@dataclass(frozen=True)
class Drawn:
    """A function of torch.nn.init with the options given to it."""

    name: str
    options: tuple[tuple[str, object], ...] = ()

    def __str__(self) -> str:
        return f"{self.name}({', '.join(f'{key}={value}' for key, value in self.options)})"


@dataclass(frozen=True)
class Setting:
    """One entry of `parameters:`: what its pattern says of the weights it stands for; None where it says nothing."""

    pattern: str
    names: tuple[str, ...]
    init: Values | Drawn | None = None
    frozen: bool | int | None = None
    """A number is the epoch, from 1, in which they begin to train."""


def matches(pattern: str, name: str) -> bool:
    """Whether a name is one that the pattern stands for: `*` is any run of characters, dots included."""
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), name) is not None


def may_match(pattern: str, path: str) -> bool:
    """Whether a pattern may stand for a name that begins with a path and a dot."""
    return any(matches(pattern[:end], f"{path}.") for end in range(len(pattern) + 1))


def frozen(settings: Iterable[Setting]) -> dict[str, bool | int]:
    """The weights that do not train at first, and the epoch in which they begin to, or True; later entries win."""
    found: dict[str, bool | int] = {}
    for setting in settings:
        if setting.frozen is not None:
            found |= dict.fromkeys(setting.names, setting.frozen)
    return {name: until for name, until in found.items() if until is not False}


def initial(settings: Iterable[Setting]) -> dict[str, Values | Drawn]:
    """The initial values of the weights that have some of their own; later entries win."""
    found: dict[str, Values | Drawn] = {}
    for setting in settings:
        if setting.init is not None:
            found |= dict.fromkeys(setting.names, setting.init)
    return found


def shape_of(values: Values) -> tuple[int, ...]:
    """The shape of values in rows, () of a number."""
    return (len(values), *shape_of(values[0])) if isinstance(values, tuple) else ()
