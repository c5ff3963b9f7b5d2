"""archspec: write a graph neural network as equations, train it, and diff it as text."""

import sys
from importlib import import_module
from types import ModuleType
from typing import Any

__version__ = "0.1.0"

FUNCTIONS = ("load", "check", "build", "diff", "equal", "cost")
"""What `import archspec` offers, from `archspec.interface.functions`, which is imported when one is first asked for."""

__all__ = ["build", "check", "cost", "diff", "equal", "load"]


class Callable(ModuleType):
    """A folder of archspec that bears the name of a function, `archspec.check`, is called as that function."""

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        """What the function of that name gives."""
        return function(self.__name__.rpartition(".")[2])(*arguments, **options)


def callable_module(name: str) -> None:
    """Let a module of this package be called; the module says so of itself."""
    sys.modules[name].__class__ = Callable


def function(name: str) -> Any:
    """A function of the interface."""
    return getattr(import_module("archspec.interface.functions"), name)


def __getattr__(name: str) -> Any:
    if name not in FUNCTIONS:
        raise AttributeError(f"module 'archspec' has no attribute {name!r}")
    return function(name)


def __dir__() -> list[str]:
    return sorted({*globals(), *FUNCTIONS})
