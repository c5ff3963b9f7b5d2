"""What went wrong, as lines for the log."""

from collections.abc import Iterator

from archspec.train.health.record import Event


def event_lines(event: Event) -> Iterator[str]:
    """The message with epoch and step, where in the equations, and what may cure it."""
    yield f"warning: epoch {event['epoch']}, step {event['step']}: {event['message']}"
    if place := event["place"]:
        yield f"  --> {place['path']}:{place['line']}, {place['definition']}: {place['text']}"
    yield f"  help: {event['help']}"
