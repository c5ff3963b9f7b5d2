"""The parameters of a module by name."""

from collections.abc import Iterator
from fnmatch import fnmatchcase

from torch import nn


def matching(module: nn.Module, pattern: str) -> Iterator[nn.Parameter]:
    """The parameters whose names in `state_dict` a pattern stands for, in which `*` is any run of characters."""
    return (parameter for name, parameter in module.named_parameters() if fnmatchcase(name, pattern))
