"""One problem as an error, at a place of the spec or about a file."""

from pathlib import Path

from archspec.diagnostics import Diagnostic, SpecError
from archspec.source import Span


def refusal(code: str, message: str, at: Span | None, cure: str) -> SpecError:
    """A problem of a setting."""
    return SpecError([Diagnostic(code, message, at, help=cure)])


def fault(code: str, message: str, path: Path, cure: str) -> SpecError:
    """A problem of a file or a folder."""
    return SpecError([Diagnostic(code, message, path=str(path), help=cure)])
