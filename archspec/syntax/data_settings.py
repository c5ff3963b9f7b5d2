"""The settings of a data set that is named on the command line, without a spec."""

from collections.abc import Callable, Sequence

from pydantic import ValidationError

from archspec.diagnostics import Problems
from archspec.source import SourceFile, Span
from archspec.syntax.document import Entry, Mapping, Scalar
from archspec.syntax.load import places
from archspec.syntax.overrides import merge_quietly, read_overrides
from archspec.syntax.schema import DataSettings
from archspec.syntax.settings import report


def read_data_settings(name: str, settings: Sequence[str]) -> tuple[DataSettings, Callable[..., Span | None]]:
    """A data set by its name and `KEY=VALUE` of the section `data`, and where each key was given.

    `limit=100` and `data.limit=100` are the same. Raises SpecError with everything that is wrong.
    """
    problems = Problems()
    source = SourceFile("NAME", name)
    whole = Span(source, 0, max(1, len(name)))
    section = Mapping(whole, {"name": Entry(Scalar(whole, "name"), Scalar(whole, name, "'"))})
    if given := read_overrides([text.removeprefix("data.") for text in settings], problems):
        section = merge_quietly(section, given)
    problems.finish()
    document = Mapping(whole, {"data": Entry(Scalar(whole, "data"), section)})
    try:
        found = DataSettings.model_validate(section.plain)
    except ValidationError as error:
        for one in error.errors(include_url=False):
            report({**one, "loc": ("data", *one["loc"])}, document, problems)
        problems.finish()
        raise AssertionError("a problem of the settings was not reported") from error
    known = dict(places(document))
    return found, lambda *path: known.get(path)
