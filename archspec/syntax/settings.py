"""A document against the schema: pydantic's errors, each at its place and in the words of a row of a table."""

import difflib
from collections.abc import Iterator
from typing import Any, cast, get_args, get_origin

from pydantic import BaseModel, ValidationError

from archspec.diagnostics import Problems
from archspec.source import Span
from archspec.syntax.document import Mapping, Scalar, Sequence, Value
from archspec.syntax.equations import Model
from archspec.syntax.schema import SpecSettings

CODES = {"data": "E04", "parameters": "E05", "train": "E06", "track": "E07"}
"""The first digits of a code by section; any other section is part of the document, E00."""

UNKNOWN, MISSING, WRONG = "30", "31", "32"

BOUNDS = {"greater_than": ("gt", "greater than"), "greater_than_equal": ("ge", "at least"),
          "less_than": ("lt", "less than"), "less_than_equal": ("le", "at most")}  # fmt: skip

TYPES = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "int_parsing": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "string_type": "text",
    "bool_type": "true or false",
    "model_type": "a section of `key: value`",
    "model_attributes_type": "a section of `key: value`",
    "dict_type": "a section of `key: value`",
}
"""What a value has to be, by the type of pydantic's error."""


def check_settings(document: Mapping, model: Model | None, problems: Problems) -> SpecSettings | None:
    """The settings of a document with canonical equations; None, with problems, where they are wrong."""
    data: dict[str, Any] = document.plain
    if model is not None:
        data["model"] = model.texts
    try:
        return SpecSettings.model_validate(data)
    except ValidationError as error:
        found = error.errors(include_url=False)
        meant = {misspelt(one["loc"], document) for one in found if one["type"] == "extra_forbidden"}
        for one in found:
            if one["type"] != "missing" or (*follow(one["loc"], document)[0], one["loc"][-1]) not in meant:
                report(one, document, problems)
        return None


def misspelt(loc: tuple[Any, ...], document: Mapping) -> tuple[str, ...]:
    """The path of the key that an unknown key probably means."""
    path, _, _ = follow(loc, document)
    return (*path[:-1], *difflib.get_close_matches(path[-1].lower(), fields(path[:-1], document), 1))


def report(error: Any, document: Mapping, problems: Problems) -> None:
    """Add the problem that an error of pydantic's is."""
    path, key, value = follow(error["loc"], document)
    section = CODES.get(str(error["loc"][0]), "E00")
    kind, name = error["type"], ".".join(path)
    if kind == "extra_forbidden":
        where = f"in `{'.'.join(path[:-1])}`" if path[:-1] else "in a spec"
        help = nearest(path[-1], fields(path[:-1], document), "the keys are")
        problems.error(section + UNKNOWN, key, f"unknown key `{path[-1]}` {where}", help=help)
    elif kind == "missing":
        missing = str(error["loc"][-1])
        help = f"write `{missing}: …`, {describe((*path, missing), document)}"
        problems.error(
            section + MISSING, key, f"`{missing}` is missing in {f'`{name}`' if path else 'the spec'}", help=help
        )
    elif kind == "union_tag_not_found":
        help = nearest("", kinds(path, document), "write one of")
        problems.error(section + MISSING, key, f"`name` is missing in `{name}`", help=help)
    elif kind == "union_tag_invalid":
        help = nearest(text_of(tag(value)), kinds(path, document), "write one of")
        problems.error(section + WRONG, tag(value).span, f"`{name}.name` cannot be {found(tag(value))}", help=help)
    else:
        message, help = words(error, value)
        if kind != "form" and help and describe(path, document):
            help += f": {describe(path, document)}"
        problems.error(section + WRONG, value.span, f"`{name}` {message}", help=help)


def follow(loc: tuple[Any, ...], document: Mapping) -> tuple[tuple[str, ...], Span, Value]:
    """The path, the key's span and the value of a place that pydantic names; it names kinds of sections too."""
    path: tuple[str, ...] = ()
    key, value = Span(document.span.source, document.span.start, document.span.start + 1), cast(Value, document)
    for step in loc:
        if not isinstance(value, Mapping) or str(step) not in value.entries:
            continue
        entry = value.entries[str(step)]
        path, key, value = (*path, str(step)), entry.key.span, entry.value
    return path, key, value


def words(error: Any, value: Value) -> tuple[str, str]:
    """What is wrong with a value, and what to write."""
    kind, context = error["type"], error.get("ctx", {})
    if kind in BOUNDS:
        bound, text = BOUNDS[kind]
        return f"must be {text} {context[bound]:g}, found {found(value)}", f"write a number {text} {context[bound]:g}"
    if kind == "literal_error":
        names = [name.strip("'\" ") for name in context["expected"].replace(" or ", ", ").split(",")]
        return f"cannot be {found(value)}", nearest(text_of(value), names, "write one of")
    if kind == "form":
        return context["wrong"], context["cure"]
    if kind in TYPES:
        return f"must be {TYPES[kind]}, found {found(value)}", f"write {TYPES[kind]}"
    return f"is wrong: {error['msg'][:1].lower()}{error['msg'][1:]}", "write another value"


def text_of(value: Value) -> str:
    """The text of a value without parts."""
    return value.text if isinstance(value, Scalar) else ""


def tag(value: Value) -> Value:
    """The name of a section of a kind; other values as they are."""
    return value.entries["name"].value if isinstance(value, Mapping) and "name" in value.entries else value


def found(value: Value) -> str:
    """How a message shows a value."""
    if isinstance(value, Mapping):
        return "a section"
    if isinstance(value, Sequence):
        return "a list"
    if value.plain is None:
        return "nothing"
    kind = "the text " if isinstance(value.plain, str) else ""
    return f"{kind}`{value.text}`"


def nearest(name: str, names: list[str], otherwise: str) -> str:
    """The name that was probably meant, or all of them."""
    close = difflib.get_close_matches(name.lower(), names, 1)
    return f"write `{close[0]}`" if close else f"{otherwise} {', '.join(f'`{one}`' for one in names)}"


def fields(path: tuple[str, ...], document: Mapping) -> list[str]:
    """The keys that the section at a path may have."""
    of_files = [] if path else ["extends", "uses"]
    return [name for model in models(path, document) for name in model.model_fields] + of_files


def describe(path: tuple[str, ...], document: Mapping) -> str:
    """What a key means, from the schema."""
    known = [
        model.model_fields[path[-1]] for model in models(path[:-1], document) if path and path[-1] in model.model_fields
    ]
    return known[0].description or "" if known else ""


def kinds(path: tuple[str, ...], document: Mapping) -> list[str]:
    """The names that say of which kind a section is."""
    return [name for model in models(path, document) for name in get_args(model.model_fields["name"].annotation)]


def models(path: tuple[str, ...], document: Mapping) -> list[type[BaseModel]]:
    """The models of the section at a path; of several kinds the one that the section's `name` says."""
    found: list[type[BaseModel]] = [SpecSettings]
    value: Value = document
    by_key = False
    for step in path:
        value = value.entries[step].value if isinstance(value, Mapping) else value
        annotations = [model.model_fields[step].annotation for model in found if step in model.model_fields]
        if annotations or not by_key:
            found = [model for annotation in annotations for model in classes(annotation)]
        by_key = any(get_origin(annotation) is dict for annotation in annotations)
    kind = tag(value)
    named = [
        model
        for model in found
        if "name" in model.model_fields
        and isinstance(kind, Scalar)
        and kind.text in get_args(model.model_fields["name"].annotation)
    ]
    return named or found


def classes(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models in a type."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from classes(part)
