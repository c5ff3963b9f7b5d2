"""A document against the schema: pydantic's errors, each at its place and in the words of a row of a table."""

import difflib
from collections.abc import Iterator
from typing import Any, cast, get_args

from pydantic import BaseModel, ValidationError

from archspec.diagnostics import Problems
from archspec.source import Span
from archspec.syntax.document import Mapping, Scalar, Sequence, Value
from archspec.syntax.equations import Model
from archspec.syntax.schema import SpecSettings

CODES = {"data": "E04", "parameters": "E05", "train": "E06"}
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
    "union_tag_not_found": "a section with a `name`",
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
        for one in error.errors(include_url=False):
            report(one, document, problems)
        return None


def report(error: Any, document: Mapping, problems: Problems) -> None:
    """Add the problem that an error of pydantic's is."""
    path, key, value = follow(error["loc"], document)
    kind = error["type"]
    name = ".".join(path)
    section = CODES.get(path[0] if path else "", "E00")
    if kind == "extra_forbidden":
        names = fields(path[:-1], document)
        where = f"in `{'.'.join(path[:-1])}`" if path[:-1] else "in a spec"
        problems.error(
            section + UNKNOWN, key, f"unknown key `{path[-1]}` {where}", help=nearest(path[-1], names, "the keys are")
        )
    elif kind == "missing":
        missing = str(error["loc"][-1])
        where = f"in `{name}`" if path else "in the spec"
        field = describe((*path, missing), document)
        problems.error(
            CODES.get(missing, section) + MISSING,
            key,
            f"`{missing}` is missing {where}",
            help=f"write `{missing}: …`{field}",
        )
    else:
        problems.error(section + WRONG, value.span, f"`{name}` {words(error, value)}", help=choices(error, value))


def follow(loc: tuple[Any, ...], document: Mapping) -> tuple[tuple[str, ...], Span, Value]:
    """The path, the span of the key and the value of a place that pydantic names; it names the kinds of sections too."""
    path: tuple[str, ...] = ()
    key, value = Span(document.span.source, document.span.start, document.span.start + 1), cast(Value, document)
    for step in loc:
        if not isinstance(value, Mapping) or str(step) not in value.entries:
            continue
        entry = value.entries[str(step)]
        path, key, value = (*path, str(step)), entry.key.span, entry.value
    return path, key, value


def words(error: Any, value: Value) -> str:
    """What is wrong with a value."""
    kind, context = error["type"], error.get("ctx", {})
    shown = found(value)
    if kind in BOUNDS:
        bound, text = BOUNDS[kind]
        return f"must be {text} {context[bound]:g}, found {shown}"
    if kind in ("literal_error", "union_tag_invalid"):
        return f"cannot be {found(tag(value))}"
    if kind in TYPES:
        return f"must be {TYPES[kind]}, found {shown}"
    return f"is wrong: {error['msg'][:1].lower()}{error['msg'][1:]}"


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


def choices(error: Any, value: Value) -> str:
    """The help for a value that is one of a few."""
    context = error.get("ctx", {})
    allowed = context.get("expected") or context.get("expected_tags") or ""
    names = [name.strip("'\" ") for name in allowed.replace(" or ", ", ").split(",") if name.strip()]
    shown = tag(value)
    return nearest(shown.text if isinstance(shown, Scalar) else "", names, "write one of") if names else ""


def nearest(name: str, names: list[str], otherwise: str) -> str:
    """The name that was probably meant, or all of them."""
    close = difflib.get_close_matches(name.lower(), names, 1)
    return f"write `{close[0]}`" if close else f"{otherwise} {', '.join(f'`{one}`' for one in names)}"


def fields(path: tuple[str, ...], document: Mapping) -> list[str]:
    """The keys that the section at a path may have."""
    return [name for model in models(path, document) for name in model.model_fields]


def describe(path: tuple[str, ...], document: Mapping) -> str:
    """What a key means, from the schema."""
    for model in models(path[:-1], document):
        if field := model.model_fields.get(path[-1]):
            return f", {field.description}"
    return ""


def models(path: tuple[str, ...], document: Mapping) -> list[type[BaseModel]]:
    """The models of the section at a path; of several kinds the one that the section's `name` says."""
    found: list[type[BaseModel]] = [SpecSettings]
    value: Value = document
    for step in path:
        value = value.entries[step].value if isinstance(value, Mapping) else value
        annotations = [model.model_fields[step].annotation for model in found if step in model.model_fields]
        found = [model for annotation in annotations for model in classes(annotation)]
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
