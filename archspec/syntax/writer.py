"""Settings → YAML in canonical form, which reads back to the same settings."""

import re
from typing import Any

import yaml
from pydantic import BaseModel

from archspec.syntax.document import BOOL, FLOAT, INTEGER, NULL
from archspec.syntax.numbers import number_text
from archspec.syntax.schema import SpecSettings


class Lines(dict[str, Any]):
    """A section written one entry a line; others are written in one line if they fit."""


class Writer(yaml.SafeDumper):
    """Writes what YAML 1.2 reads: text that looks like a number is quoted, several lines become a block."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        """Indent lists within sections too."""
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: object) -> bool:
        """Write equal values each in full."""
        return True

    def choose_scalar_style(self) -> str:
        """A block for text of several lines, plain or quoted otherwise."""
        style: str = super().choose_scalar_style()
        return "|" if "\n" in getattr(self.event, "value", "") else style


def as_number(writer: Writer, value: float) -> yaml.Node:
    """A number with a fraction or exponent."""
    text = number_text(value).replace("inf", ".inf").replace("nan", ".nan")
    return writer.represent_scalar("tag:yaml.org,2002:float", text)


def as_lines(writer: Writer, value: Lines) -> yaml.Node:
    """A section with one entry a line."""
    return writer.represent_mapping("tag:yaml.org,2002:map", value, flow_style=False)


TAGS = {"null": NULL, "bool": BOOL, "int": INTEGER, "float": FLOAT}
"""What YAML 1.2 reads as something other than text."""

Writer.yaml_implicit_resolvers = {}
for tag, pattern in TAGS.items():
    Writer.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(f"^(?:{pattern.pattern})$"), None)
Writer.add_representer(float, as_number)
Writer.add_representer(Lines, as_lines)


def write_spec(settings: SpecSettings, short: bool = False) -> str:
    """The whole spec; what has no value is left out, in the short form also what was not given."""
    data = Lines(stated(settings, short))
    data["model"] = Lines({name: ended(value) for name, value in data["model"].items()})
    if "where" in data["model"]:
        data["model"]["where"] = Lines({name: ended(value) for name, value in data["model"]["where"].items()})
    return yaml.dump(data, Dumper=Writer, sort_keys=False, allow_unicode=True, width=4096, default_flow_style=None)


def ended(value: Any) -> Any:
    """An equation of several lines with a line break at its end, as a block has it."""
    return f"{value}\n" if isinstance(value, str) and "\n" in value else value


def stated(settings: BaseModel, short: bool) -> dict[str, Any]:
    """The fields of a section that say something."""
    values = {**{name: getattr(settings, name) for name in type(settings).model_fields}, **(settings.model_extra or {})}
    return {
        name: plain(value, short)
        for name, value in values.items()
        if says(settings, name, value) and not (short and name not in settings.model_fields_set)
    }


def plain(value: object, short: bool) -> Any:
    """A value as YAML has it; a section of sections, such as `parameters`, has an entry a line."""
    if isinstance(value, BaseModel):
        return stated(value, short)
    if isinstance(value, dict) and any(isinstance(one, BaseModel) for one in value.values()):
        return Lines({name: plain(one, short) for name, one in value.items()})
    return value


def says(settings: BaseModel, name: str, value: object) -> bool:
    """Whether a value has to be written: not one that is empty, nor None where that is the default."""
    field = type(settings).model_fields.get(name)
    return value not in ("", {}) and not (value is None and (field is None or field.default is None))
