"""Graphs that a Python function of the user's own returns; it is run when the data is read, and only then."""

import traceback
from typing import Any

from archspec.data import saved
from archspec.data.raw import Raw
from archspec.diagnostics import Diagnostic, SpecError
from archspec.facts.own import SPLITS


def read(name: str, options: dict[str, Any]) -> dict[str, list[Raw]]:
    """The graphs of `package.module:function`, called with the options of the data set.

    Raises SpecError E0426 where it is not there, fails or returns something else than graphs or splits of them.
    """
    from archspec.runtime.foreign import Unknown, imported

    module, _, wanted = name.partition(":")
    try:
        function = getattr(imported(module), wanted, None)
        if not callable(function):
            raise failure(name, f"the module `{module}` has no function `{wanted}`", "define it there")
        content = function(**options)
    except SpecError:
        raise
    except Unknown as problem:
        cure = "write a module on Python's path or in the current folder"
        raise failure(name, f"there is no module `{module}`", cure) from problem
    except Exception as problem:
        frame = traceback.extract_tb(problem.__traceback__)[-1]
        message = f"it raised {type(problem).__name__}: {problem}"
        raise failure(name, message, f"see line {frame.lineno} of {frame.filename}") from problem
    if isinstance(content, dict) and set(content) != set(SPLITS):
        found = ", ".join(f"`{one}`" for one in content) or "nothing"
        raise failure(name, f"it returned a dictionary of {found}", "return `train`, `val` and `test`, or one list")
    return dict(saved.splits_of(content, name))


def failure(name: str, message: str, cure: str) -> SpecError:
    """E0426: a function that gives no data."""
    return SpecError([Diagnostic("E0426", message, path=name, help=cure)])
