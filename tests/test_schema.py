"""The JSON Schema accepts every spec file there is and refuses planted mistakes; each key says what it means."""

from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from archspec.diagnostics import Problems
from archspec.source import SourceFile
from archspec.syntax.document import read_document
from archspec.syntax.json_schema import FILE, MODELINE, schema
from archspec.syntax.spellings import LOSSES, SCORES

ROOT = Path(__file__).resolve().parent.parent
SPECS = [*sorted((ROOT / "specs").glob("*.yaml")), *sorted((ROOT / "docs").rglob("*.yaml"))]
SPECS = [path for path in SPECS if not path.stem.startswith("gates_")]
"""All but files of values of weights, which are no specs."""

VALIDATOR = Draft202012Validator(schema())

RIGHT = "name: x\nmodel: {input: a, stack: b, output: c}\n"

MISTAKES = {
    "trian: {}": "trian",
    "train: {epochs: -1}": "epochs",
    "train: {epochs: 2.5}": "epochs",
    "train: {epochs: null}": "epochs",
    "train: {epoch: 3}": "epoch",
    "train: {optimizer: {lr: fast}}": "fast",
    "train: {schedule: {name: plato}}": "plato",
    "train: {schedule: {name: cosine, warmpu: 1}}": "warmpu",
    "train: {loss: mes}": "mes",
    "train: {seeds: []}": "seeds",
    "train: {seeds: [1, 1]}": "seeds",
    "train: {precision: 16}": "16",
    "data: {name: pattern, batchsize: 3}": "batchsize",
    "data: {batch_size: 3}": "name",
    "data: {name: pattern, batch_size: 40 node}": "40 node",
    "data: pattern": "pattern",
    "parameters: {layers.*.eps: {inti: 1}}": "inti",
    "parameters: {layers.*.eps: {frozen: until epoch 0}}": "until epoch 0",
    "parameters: {layers.*.eps: {init: [[1, x]]}}": "x",
    "track: {comit: {}}": "comit",
    "protocol: 3": "3",
    "uses: {a: b}": "a",
}
"""A line with a mistake in it, and what the error must name."""

RIGHT_LINES = (
    "train: {loss: CrossEntropyLoss, monitor: AUROC, schedule: {name: onecyclelr, max_lr: 0.1}}",
    "train: {clip: null, seeds: [1, 2], optimizer: {name: SGD, momentum: 0.9}, precision: bf16}",
    "data: {name: pattern, batch_size: 4000 nodes}",
    "parameters: {'*': {init: [[1, .inf]], frozen: until epoch 20}, a: {init: {name: normal_, std: 2}}, b: null}",
    "protocol: gps",
    "protocol: {name: gps, filled: true}",
    "track: {comet: {}, trackio: null}",
    "uses: [a.yaml, b.yaml]",
)


def said(text: str) -> list[str]:
    """What the schema says against a text."""
    document = read_document(SourceFile("x.yaml", text), Problems())
    assert document is not None
    return [message for error in VALIDATOR.iter_errors(document.plain) for message in flat(error)]


def flat(error: Any) -> list[str]:
    """The message of an error and those of the errors it comes from."""
    return [error.message, *(message for one in error.context for message in flat(one))]


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_every_spec_is_right(path: Path) -> None:
    assert said(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("line", RIGHT_LINES)
def test_what_is_right_is_let_pass(line: str) -> None:
    assert said(f"{RIGHT}{line}\n") == []


@pytest.mark.parametrize("line", MISTAKES)
def test_mistakes_are_refused(line: str) -> None:
    found = said(f"{RIGHT}{line}\n")
    assert any(MISTAKES[line] in one for one in found), found


@pytest.mark.parametrize("name", [*LOSSES])
def test_losses_have_other_names(name: str) -> None:
    assert said(f"{RIGHT}train: {{loss: {name.upper()}}}\n") == []


@pytest.mark.parametrize("name", [*SCORES])
def test_scores_have_other_names(name: str) -> None:
    assert said(f"{RIGHT}train: {{monitor: {name.title()}}}\n") == []


def test_only_what_extends_may_leave_out() -> None:
    assert any("'model' is a required property" in one for one in said("name: x\n"))
    assert any("'stack' is a required property" in one for one in said("name: x\nmodel: {input: a, output: b}\n"))
    assert said("extends: gin\nmodel: {sizes: {d: 8, e: null}, where: {f: null, 'g(x)': 1}, penalty: null}\n") == []
    assert (
        said("extends: gin\ndata: {batch_size: 4}\ntrain: {schedule: {warmup: 2}, optimizer: {momentum: null}}\n") == []
    )


def test_it_is_a_schema_that_describes_every_key() -> None:
    Draft202012Validator.check_schema(schema())
    silent = []
    for name, model in (("", schema()), *schema()["$defs"].items()):
        silent += [f"{name}.{key}" for key, entry in model.get("properties", {}).items() if "description" not in entry]
    assert silent == []


def test_the_modeline_names_the_file() -> None:
    assert MODELINE.startswith("# yaml-language-server: $schema=")
    assert MODELINE.endswith(FILE)
