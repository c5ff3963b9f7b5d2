"""Graphs that a Python function of the user's own returns; it is run when the data is read, and only then."""

import traceback
from typing import Any, NoReturn

from archspec.data import saved
from archspec.data.raw import Raw
from archspec.diagnostics import Diagnostic, SpecError
from archspec.facts.own import SPLITS
from archspec.source import Span


def read(name: str, options: dict[str, Any], at: Span | None = None) -> dict[str, list[Raw]]:
    """The graphs of `package.module:function`, called with the options of the data set; `at` is where it is named.

    Raises SpecError E0426 where it is not there, fails or returns something else than graphs or splits of them.
    """
    from archspec.runtime.foreign import Unknown, imported

    module, _, wanted = name.partition(":")
    try:
        function = getattr(imported(module), wanted, None)
        if not callable(function):
            fail(name, at, f"the module `{module}` has no function `{wanted}`", "define it there")
        content = function(**options)
    except SpecError:
        raise
    except Unknown:
        fail(name, at, f"there is no module `{module}`", "write one on Python's path or in the current folder")
    except Exception as problem:
        frame = traceback.extract_tb(problem.__traceback__)[-1]
        message = f"`{wanted}` raised {type(problem).__name__}: {problem}"
        fail(name, at, message, f"see line {frame.lineno} of {frame.filename}")
    if isinstance(content, dict) and set(content) != set(SPLITS):
        found = ", ".join(f"`{one}`" for one in content) or "nothing"
        message = f"`{wanted}` returned a dictionary of {found}"
        fail(name, at, message, "return `train`, `val` and `test`, or one list")
    return dict(saved.splits_of(content, name))


def fail(name: str, at: Span | None, message: str, cure: str) -> NoReturn:
    """Raise E0426: a function that gives no data."""
    raise SpecError([Diagnostic("E0426", message, at, help=cure, path=name)])
