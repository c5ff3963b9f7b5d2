"""The `parameters:` section: patterns looked up among the weights, values held to their shapes.

The patterns of `train.optimizer.groups` are looked up here too.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from typing import Any, cast

from archspec.check.suggest import nearest
from archspec.diagnostics import Problems
from archspec.ir.nodes import Node, Program, full_name
from archspec.ir.settings import FILLINGS, WORDS, Drawn, Filling, Setting, Values, matches, may_match, shape_of
from archspec.ir.trainable import trainable
from archspec.source import Span
from archspec.syntax.schema import UNTIL, InitSettings, ParameterSettings
from archspec.syntax.spec import Spec

Shape = tuple[int, ...]

SHOWN = 3
"""Names that a message lists."""


def check_settings(spec: Spec, program: Program, built: Mapping[str, Shape] | None = None) -> Program:
    """The program with what `parameters:` says. Raises SpecError.

    `built` are the weights of modules that archspec did not write; without it a pattern may yet stand for some.
    """
    problems, elsewhere = Problems(), []
    if built is None:
        elsewhere = [
            full_name(path, node.path) for path, one in program.sections() for node in one.nodes if is_foreign(node)
        ]
    shapes = {**trainable(program), **(built or {})}
    settings = read_settings(spec, shapes, elsewhere, problems)
    for pattern in spec.settings.train.optimizer.groups:
        look_up(pattern, shapes, elsewhere, spec.place("train", "optimizer", "groups", pattern), problems)
    problems.finish()
    return replace(program, settings=settings)


def is_foreign(node: Node) -> bool:
    """Whether a node is a module that archspec did not write."""
    return node.op == "foreign"


def read_settings(
    spec: Spec, shapes: Mapping[str, Shape], elsewhere: Sequence[str], problems: Problems
) -> tuple[Setting, ...]:
    """What the section says, in its order; problems of a pattern stand at its entry, those of a value at the value."""
    found = []
    for pattern, entry in spec.settings.parameters.items():
        names = look_up(pattern, shapes, elsewhere, spec.place("parameters", pattern), problems)
        at = spec.place("parameters", pattern, "init")
        init = read_init(entry, {name: shapes[name] for name in names}, at, problems)
        found.append(Setting(pattern, names, init, read_frozen(entry)))
    return tuple(found)


def look_up(
    pattern: str, shapes: Mapping[str, Shape], elsewhere: Sequence[str], at: Span | None, problems: Problems
) -> tuple[str, ...]:
    """The weights that a pattern stands for; E0501 if there can be none."""
    names = tuple(name for name in shapes if matches(pattern, name))
    if not names and not any(may_match(pattern, path) for path in elsewhere):
        no_match(pattern, shapes, at, problems)
    return names


def no_match(pattern: str, shapes: Mapping[str, Shape], at: Span | None, problems: Problems) -> None:
    """Report a pattern that stands for no weight, with the names that look most like it."""
    numbered = {name: ".".join("*" if part.isdigit() else part for part in name.split(".")) for name in shapes}
    known = list(dict.fromkeys((*numbered.values(), *shapes)))
    close = get_close_matches(pattern, known, SHOWN, cutoff=0.5) or known[:SHOWN]
    listed = ", ".join(f"`{name}`" for name in close)
    cure = (
        f"such as {listed}; `archspec show --as params` lists all" if close else "remove it: the model has no weights"
    )
    problems.error("E0501", at, f"`{pattern}` is the name of no weight", help=cure)


def read_frozen(entry: ParameterSettings) -> bool | int | None:
    """`until epoch 20` as the number."""
    found = UNTIL.fullmatch(entry.frozen) if isinstance(entry.frozen, str) else None
    return int(found[1]) if found else cast(bool | None, entry.frozen)


def read_init(
    entry: ParameterSettings, shapes: Mapping[str, Shape], at: Span | None, problems: Problems
) -> Values | Drawn | None:
    """The initial value, held to the shapes of the weights that get it."""
    if isinstance(entry.init, InitSettings):
        return read_function(entry.init, shapes, at, problems)
    if entry.init is None:
        return None
    values = rows(entry.init)
    own = shape_of(values)
    for name, shape in shapes.items():
        if own and not fits(own, shape):
            message = f"the values have the shape {shown(own)}, `{name}` has {shown(shape)}"
            cure = f"write {rows_in_words(shape)}; a 1 in a shape is repeated" if shape else "write one number"
            problems.error("E0502", at, message, help=cure)
            break
    return values


def rows(value: Any) -> Values:
    """Lists as tuples, numbers as floating-point ones."""
    return tuple(map(rows, value)) if isinstance(value, list) else float(value)


def fits(own: Shape, shape: Shape) -> bool:
    """Whether values can fill a weight: in every dimension as many, or one that is repeated; 0 is not known yet."""
    return len(own) == len(shape) and all(a in (1, b) or b == 0 for a, b in zip(own, shape, strict=True))


def shown(shape: Shape) -> str:
    """`(8, 4)`; what is not known is `?`."""
    inside = ", ".join(str(size or "?") for size in shape)
    return f"({inside},)" if len(shape) == 1 else f"({inside})"


def rows_in_words(shape: Shape) -> str:
    """`a list of 4`, `8 rows of 4`."""
    *outer, last = (str(size or "?") for size in shape)
    return f"{' times '.join(outer)} rows of {last} numbers" if outer else f"a list of {last} numbers"


def read_function(init: InitSettings, shapes: Mapping[str, Shape], at: Span | None, problems: Problems) -> Drawn | None:
    """A function of torch.nn.init, its options, and whether it takes weights of these ranks."""
    row = FILLINGS.get(init.name)
    if row is None:
        cure = nearest(init.name, FILLINGS) or f"one of {', '.join(FILLINGS)}"
        problems.error("E0503", at, f"there is no function `{init.name}` in torch.nn.init for weights", help=cure)
        return None
    options = init.model_extra or {}
    check_options(row, options, at, problems)
    for name, shape in shapes.items():
        if len(shape) < row.least or (row.most is not None and len(shape) > row.most):
            bound = f"{row.least}" if row.most == row.least else f"at least {row.least}"
            message = f"`{row.name}` needs {bound} dimensions, `{name}` has the shape {shown(shape)}"
            problems.error("E0505", at, message, help="match other weights, or write `{name: normal_, std: 0.1}`")
            break
    return Drawn(row.name, tuple(options.items()))


def check_options(row: Filling, options: Mapping[str, Any], at: Span | None, problems: Problems) -> None:
    """Each option is one of the function's and of the kind of its default; those without a default are given."""
    missing = [name for name, default in row.options.items() if default is None and name not in options]
    for name in missing:
        problems.error("E0504", at, f"`{row.name}` needs the option `{name}`", help=f"write `{name}: 0.5`")
    for name, value in options.items():
        if name not in row.options:
            cure = nearest(name, row.options) or options_in_words(row.options)
            problems.error("E0504", at, f"`{row.name}` has no option `{name}`", help=cure)
        elif name in WORDS and value not in WORDS[name]:
            problems.error("E0504", at, f"`{name}` cannot be `{value}`", help=one_of(str(value), WORDS[name]))
        elif name not in WORDS and (isinstance(value, bool) or not isinstance(value, int | float)):
            problems.error("E0504", at, f"`{name}` of `{row.name}` is a number, found `{value}`", help="such as `0.5`")


def options_in_words(options: Iterable[str]) -> str:
    """What a function can be told."""
    return f"it has {', '.join(options)}" if options else "it has no options: remove it"


def one_of(value: str, known: Sequence[str]) -> str:
    """The nearest of some words, or all."""
    return nearest(value, known) or f"one of {', '.join(known)}"
