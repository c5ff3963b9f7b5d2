"""Where settings of data stand in a spec, for messages."""

from collections.abc import Callable

from archspec.source import Span

Place = Callable[..., Span | None]
"""Where a key stands in the spec: `Spec.place`."""


def nowhere(*_path: str) -> None:
    """The place of a key of settings that come from no file."""
