"""Writes `settings.md`, the tables of every key of a spec, from the schema: `python docs/settings.py`."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from archspec.syntax.schema import DataSettings, Settings, TrackSettings, TrainSettings

PAGE = Path(__file__).with_name("settings.md")
BOUNDS = {"gt": "above {}", "ge": "at least {}", "lt": "below {}", "le": "at most {}"}
WORDS = {int: "whole number", float: "number", str: "text", bool: "true or false", NoneType: "null"}

HEAD = """# Settings

Every key of `data:`, `train:` and `track:` in a spec file. This page is made from the schema by `python
docs/settings.py`; change the descriptions there. Any of them can be given on the command line by its full path:
`--set train.epochs=5`, `--set train.optimizer.name=adamw`, `--set 'train.schedule={name: cosine, warmup: 3}'`.
"""

NOTES = """
## Options for some weights

`train.optimizer.groups` gives some weights options of their own, by [patterns](language.md) over the names that
`archspec show SPEC --as params` lists, in which `*` is any run of characters, dots included:

```yaml
optimizer:
  name: adamw
  lr: 1e-3
  weight_decay: 0.1
  groups:
    layers.0.*: {lr: 1e-4}
    "*.bias": {weight_decay: 0}
```

Entries count in the order written, and later ones win over earlier ones, each for the options it names. Before the
first entry weights of norms (batch, layer, RMS and graph norm, and any class with `Norm` in its name) and single
numbers, such as the ε of GIN, have no weight decay; `"*": {weight_decay: 0.1}` as the first entry takes that back. What
differs is told at the start of a run and by `show --as params`. A schedule changes the rates of all groups alike; `lr`
in `metrics.jsonl` is that of the weights of which nothing is said. A pattern that no weight has is an error.

A schedule of torch goes on after every epoch, `OneCycleLR` and `CyclicLR` after every step; `every` says otherwise.
`OneCycleLR` is given the length of the training unless `total_steps` is set.

## Losses and scores

Losses go by short names or by torch's, of functions or classes, in any case: `cross_entropy`, `CrossEntropyLoss`;
`l1`, `l1_loss`, `L1Loss`. `train.loss_options` are torch's: `label_smoothing` or `weight` (a number for each class) of
`cross_entropy`, `p` and `margin` of `multi_margin`, `pos_weight` (a number for each label) of `bce_with_logits`,
`beta` of `smooth_l1`, `delta` of `huber`. Scores go by the names of [the table](data.md#tasks) or by usual ones:
`balanced_accuracy` (`acc`), `auroc`, `ap`, `mean_absolute_error`, `root_mean_squared_error`, `r2_score`. A resolved
spec has the short names.

## Beginning with other weights

`archspec train SPEC --init-from RUN` begins with the best weights of another run, or with a `.safetensors` file,
whatever its spec: every weight and buffer of the same name and shape is copied, and it is told which matched, which
are new, which of the run were left, and which have other shapes. `--rename OLD=NEW` gives weights another name first,
with `*` for what stays: `--rename layers.*.mlp=layers.*.ffn`. What is copied wins over `init` in `parameters:`, and
`frozen` holds as always. `environment.json` keeps all of it with the hash of the file; before its first checkpoint a
killed run takes the weights from there again, and only those very ones.

```console
$ archspec train other.yaml --init-from runs/tiny-1
weights from runs/tiny-1/checkpoints/best.safetensors, epoch 1: 15 matched
  new: layers.2.linear.weight, layers.2.batch_norm.weight, layers.2.batch_norm.bias and 3 more
  left: layers.*.linear.bias
```

## What is recorded

Each epoch adds a line to `metrics.jsonl` in the run folder: learning rate, steps, the gradient's norm before clipping
(mean and largest), seconds, and for every split `loss` and the [scores of the task](data.md#tasks): for classes
`accuracy`, `acc_0`, `acc_1`, … (the recall of each class) and `acc`, their unweighted mean over the classes that occur.
Scores are those of the whole split and not means of batches. The loss of a split weights its classes by their counts in
the split. Those of `train` are summed up while the
weights change, in training mode; `val` and `test` are scored at the end of the epoch, in evaluation mode.
The loss of a training step is the mean over the rows that count in its batch, so a row of a smaller batch weighs more.
What is watched of gradients, weights and values is its entry `health` ([health](health.md)).
A model with a `penalty` adds `penalty`, its mean over the steps of the epoch; losses are without it.

Scoring the test split costs what scoring the validation split costs, about 8 % of an epoch of `gin.yaml`;
`train.test_every: null` leaves it to the end. It never influences training: `monitor`, `patience` and the plateau look
at validation alone.

## The same bits again

On a CPU, spec, seed and number of threads determine every bit of a run, on one kind of processor and with one version
of torch. A run that was interrupted or killed goes on with `archspec train --resume RUN` and ends with the bits of one
that was not: Ctrl-C keeps the state in the middle of the epoch, with the sums of its steps; after a crash the run goes
on from its last checkpoint, and metrics recorded since then are cut away. `train.epochs`, `train.checkpoint_every` and
`train.threads` may be changed on the way; with other threads only the last bits differ, and with a cosine schedule more
epochs stretch the rest of it.
"""


def page() -> str:
    """The whole page."""
    parts = [
        HEAD,
        *section("data", DataSettings),
        *section("train", TrainSettings),
        *section("track", TrackSettings),
        NOTES.strip(),
    ]
    return "\n".join(parts) + "\n"


def section(name: str, model: type[Settings]) -> Iterator[str]:
    """A heading and a table."""
    yield f"## `{name}:`\n"
    yield "| key | type | default | meaning |\n|---|---|---|---|"
    yield from rows(name, model)
    yield ""


def rows(path: str, model: type[Settings]) -> Iterator[str]:
    """A row for every key, those of sections below it after their own."""
    for key, field in model.model_fields.items():
        name = f"{path}.{key}"
        below = sections(field.annotation)
        meaning = cell(field.description or "")
        yield f"| `{name}` | {'section' if below else kind(field)} | {default(field)} | {meaning} |"
        for one in below:
            yield from variant(name, one) if len(below) > 1 else rows(name, one)
            if one.model_config.get("extra") == "allow":
                yield f"| `{name}.…` | of the class |  | any option of that class, checked against its signature |"


def variant(path: str, model: type[Settings]) -> Iterator[str]:
    """The rows of one of several forms of a section, which its `name` tells apart."""
    names = get_args(model.model_fields["name"].annotation)
    chosen = names[0] if len(names) == 1 else "of torch"
    for row, key in zip(rows(path, model), model.model_fields, strict=True):
        yield row.replace(f"`{path}.{key}`", f"`{path}.{key}`" if key == "name" else f"`{path}.{key}` ({chosen})", 1)


def sections(annotation: Any) -> list[type[Settings]]:
    """The models a key may hold."""
    if isinstance(annotation, type) and get_origin(annotation) is None:
        return [annotation] if issubclass(annotation, Settings) else []
    return [] if get_origin(annotation) is dict else [one for part in get_args(annotation) for one in sections(part)]


def kind(field: FieldInfo) -> str:
    """A type in words, with its bounds."""
    return cell(words(field.annotation, field.metadata))


def words(annotation: Any, metadata: list[Any]) -> str:
    """A type in words."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return words(arguments[0], list(arguments[1:]))
    if origin in (Union, UnionType):
        return " or ".join(words(one, metadata if one is not NoneType else []) for one in arguments)
    if origin is Literal:
        return ", ".join(f"`{one}`" for one in arguments)
    if origin is list:
        return f"list of {words(arguments[0], [])}s"
    if origin is dict:
        return "keys and values"
    if origin is list:
        return f"list of {words(arguments[0], [])}s"
    return " ".join([WORDS[annotation], ", ".join(bounds(metadata))]).strip()


def bounds(metadata: list[Any]) -> Iterator[str]:
    """The limits of a number."""
    for one in metadata:
        for name, phrase in BOUNDS.items():
            if (value := getattr(one, name, None)) is not None:
                yield phrase.format(value)


def default(field: FieldInfo) -> str:
    """A default as a spec would write it."""
    if field.is_required():
        return "required" if not single(field.annotation) else ""
    value = field.get_default(call_default_factory=True)
    if isinstance(value, Settings):
        name = getattr(value, "name", None)
        return f"`{{name: {name}}}`" if name else "as below"
    if value is None:
        return "`null`"
    return f"`{value:g}`".replace("e-0", "e-") if isinstance(value, float) else f"`{value}`"


def single(annotation: Any) -> bool:
    """Whether only one value is possible."""
    return get_origin(annotation) is Literal and len(get_args(annotation)) == 1


def cell(text: str) -> str:
    """Text for a cell of a table."""
    return text.replace("|", "\\|")


def main() -> None:
    """Write the page, unless this is CI, where it must be up to date."""
    if os.environ.get("CI"):
        sys.exit("docs/settings.md is not rewritten when CI is set: run `python docs/settings.py` and commit it")
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
