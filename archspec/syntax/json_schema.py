"""The JSON Schema of spec files, from the pydantic models: for editors that complete and check keys.

It describes a file as it is written: one that `extends` another may leave out anything, `null` removes, and names of
losses, scores and schedules may be spelt in the other ways archspec knows. Equations are text to it; what is wrong with
them only `archspec check` and `archspec lsp` say.
"""

import json
from collections.abc import Iterable
from typing import Any, get_args

from archspec.syntax.schema import UNTIL, SpecSettings
from archspec.syntax.spellings import LOSSES, SCORES, LossName, ScoreName, TorchSchedule

Schema = dict[str, Any]

FILE = "archspec.schema.json"
"""What the schema is called beside the specs it is for."""

MODELINE = f"# yaml-language-server: $schema={FILE}"
"""The line with which a spec names its schema: a file beside it, so that editors find it without a network."""

NULL: Schema = {"type": "null"}

SPELT = {
    ("TrainSettings", "loss"): (*get_args(LossName), *LOSSES),
    ("TrainSettings", "monitor"): (*get_args(ScoreName), *SCORES),
    ("TorchSettings", "name"): get_args(TorchSchedule),
}
"""Settings whose names may be spelt in any case, with all of the names."""

REMOVABLE = ("ModelSettings", "OptimizerSettings", "ParameterSettings", "TrackSettings", "GroupSettings")
"""Models whose entries `null` removes."""

NUMBERS: Schema = {"anyOf": [{"type": "number"}, {"type": "array", "items": {"$ref": "#/$defs/Numbers"}}]}

SEEDS: Schema = {"type": "array", "items": {"type": "integer", "minimum": 0}, "minItems": 1, "uniqueItems": True}
FREEZING: Schema = {"type": "string", "pattern": f"^{UNTIL.pattern}$"}

WRITTEN: dict[tuple[str, str], Schema] = {
    ("ParameterSettings", "init"): {"anyOf": [{"$ref": "#/$defs/InitSettings"}, {"$ref": "#/$defs/Numbers"}]},
    ("ParameterSettings", "frozen"): {"anyOf": [{"type": "boolean"}, FREEZING]},
    ("TrainSettings", "seeds"): {"anyOf": [SEEDS, NULL]},
}
"""Settings that are checked by functions, of which pydantic can tell little."""

FILES: Schema = {
    "extends": {
        "type": ["string", "null"],
        "description": "a spec that this one changes: a file, or one that comes with archspec",
    },
    "uses": {
        "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}, NULL],
        "description": "files of definitions",
    },
}
"""What a file may say of other files."""

WHOLE: Schema = {
    "if": {"not": {"required": ["extends"]}},
    "then": {
        "required": ["name", "model"],
        "properties": {
            "model": {"required": ["input", "stack", "output"]},
            "data": {"if": {"type": "object"}, "then": {"required": ["name"]}},
        },
    },
}
"""What a file says that extends none."""


def schema() -> Schema:
    """The schema as plain data, by draft 2020-12."""
    whole = plain(SpecSettings.model_json_schema())
    models = whole.pop("$defs")
    models["Numbers"] = NUMBERS
    for model in models.values():
        model.pop("required", None)
    for (model, key), names in SPELT.items():
        spelt(models[model]["properties"][key], names)
    for (model, key), written in WRITTEN.items():
        models[model]["properties"][key] = {"description": models[model]["properties"][key]["description"], **written}
    models["TrainSettings"]["properties"]["schedule"]["anyOf"] = models["TrainSettings"]["properties"]["schedule"].pop(
        "oneOf"
    )
    models["ProtocolSettings"] = {"anyOf": [{"type": "string"}, models["ProtocolSettings"]]}
    removable(whole["properties"])
    for name in REMOVABLE:
        removable(models[name]["properties"])
    for section in (*models["ModelSettings"]["properties"].values(), whole["properties"]["parameters"]):
        free(section)
    free(models["OptimizerSettings"]["properties"]["groups"])
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "archspec",
        "description": "A spec: an architecture as equations, its data and its training.",
        "type": "object",
        "properties": FILES | whole["properties"],
        "additionalProperties": False,
        **WHOLE,
        "$defs": models,
    }


def plain(value: Any) -> Any:
    """A copy without the titles that pydantic makes of names, save for keys that are called `title`."""
    if isinstance(value, list):
        return [plain(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {key: plain(item) for key, item in value.items() if key != "title" or not isinstance(item, str)}


def spelt(setting: Schema, names: Iterable[str]) -> None:
    """Let names stand in any case; those of the list are what editors complete."""
    letters = ("".join(f"[{c.upper()}{c.lower()}]" if c.isalpha() else c for c in name) for name in names)
    loose: Schema = {"type": "string", "pattern": f"^({'|'.join(letters)})$"}
    setting.setdefault("anyOf", [{"type": "string", "enum": setting.pop("enum", [])}]).append(loose)


def removable(properties: Schema) -> None:
    """Let every entry be null."""
    for name, entry in properties.items():
        said = {key: entry.pop(key) for key in ("description", "default") if key in entry}
        properties[name] = said | {"anyOf": [*entry.pop("anyOf", []), *([entry] if entry else []), NULL]}


def free(section: Schema) -> None:
    """Let null remove any entry of a section that is named freely."""
    for form in section.get("anyOf", [section]):
        if isinstance(entries := form.get("additionalProperties"), dict):
            form["additionalProperties"] = {"anyOf": [*entries.pop("anyOf", [entries]), NULL]}


def text() -> str:
    """The schema as JSON."""
    return json.dumps(schema(), indent=1, ensure_ascii=False) + "\n"
