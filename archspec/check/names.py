"""The one namespace of a spec: sizes evaluated, clashes reported, and every definition's names looked up.

Definitions that nothing uses are looked at too: a typo in one is reported before the day it is needed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from archspec.check.calls import FORMS
from archspec.check.expressions import DATA_NAMES, known_names
from archspec.check.indices import SETS
from archspec.check.primitives import SPECIAL
from archspec.check.suggest import nearest
from archspec.check.values import Frame, Listing, Size, Value, is_broken, number_of
from archspec.ir.ops import PRIMITIVES
from archspec.ir.types import Axis
from archspec.syntax import tree
from archspec.syntax.spec import Spec

LANGUAGE = (
    ("a primitive", frozenset((*PRIMITIVES, *SPECIAL))),
    ("a form of the language", frozenset(FORMS)),
    ("an index set", frozenset((*SETS, "targets"))),
    ("an index", frozenset(("i",))),
)
"""Words nobody may take for something else, and what each is."""


def meaning(name: str, spec: Spec, states: Iterable[str]) -> str:
    """What a name is already, or ""."""
    tables: list[tuple[str, object]] = [*LANGUAGE, ("a size", spec.sizes), ("a definition", spec.definitions)]
    tables.append(("a name from the data", frozenset(DATA_NAMES) - {"x", "e", "pos"}))
    tables.append(("a state", states))
    return next((what for what, table in tables if name in table), "")  # type: ignore[operator]


def evaluate_sizes(spec: Spec, frame: Frame) -> dict[str, Value]:
    """Named sizes in the order written: each may use those above it."""
    sizes: dict[str, Value] = {}
    for name, expression in spec.sizes.items():
        value = replace(frame, world=replace(frame.world, sizes=sizes)).value(expression)
        number = number_of(value)
        if number is None and not is_broken(value) and not isinstance(value, Listing | Size):
            frame.error("E0301", expression.span, f"the size {name} is not a number", help="such as `64` or `d/heads`")
        if isinstance(number, float) and number.is_integer():
            number = int(number)
        whole = isinstance(number, int) and not isinstance(number, bool) and number > 0
        sizes[name] = Size(Axis(name, number)) if whole or isinstance(value, Size) else value  # type: ignore[arg-type]
    return sizes


def check_clashes(spec: Spec, states: Mapping[str, tree.Target], frame: Frame) -> None:
    """Sizes, definitions and states share one namespace with the language; definitions may override the library."""
    for name, expression in spec.sizes.items():
        report(name, expression.span, meaning(name, replace(spec, sizes={}), states), frame)
    for name, definition in spec.definitions.items():
        taken = meaning(name, replace(spec, sizes=spec.sizes, definitions={}), states)
        report(name, definition.heading.span, taken, frame)
    for name, target in states.items():
        report(name, target.span, meaning(name, spec, ()), frame)
    for definition in spec.definitions.values():
        for found in locals_of(definition):
            report(found.name, found.span, meaning(found.name, spec, ()), frame)


def locals_of(definition: tree.Definition) -> list[tree.Parameter | tree.Target]:
    """Formal arguments and assigned names."""
    targets = [target for statement in definition.body.statements for target in statement.targets]
    return [*(definition.heading.parameters or ()), *targets]


def report(name: str, span: object, taken: str, frame: Frame) -> None:
    """A clash of names."""
    if taken:
        frame.error("E0202", span, f"`{name}` is {taken} already", help=f"choose another name, such as `{name}_`")  # type: ignore[arg-type]


def check_unused(spec: Spec, states: Iterable[str], frame: Frame) -> None:
    """Look up the free names of every definition, used or not."""
    for definition in spec.definitions.values():
        known = known_names(frame) | set(states) | {"i", "x"} | {found.name for found in locals_of(definition)}
        for expression in (*definition.body.statements, *definition.body.result):
            check_free(expression, known, frame)


def check_free(node: object, known: set[str], frame: Frame) -> None:
    """Report names that nothing gives, below a node; lambdas and indices bring names of their own."""
    if isinstance(node, tuple):
        for item in node:
            check_free(item, known, frame)
    elif isinstance(node, tree.Name):
        if node.id not in known:
            frame.error("E0201", node.span, f"unknown name `{node.id}`", help=nearest(node.id, known))
    elif isinstance(node, tree.Node):
        own = {name.id for name in getattr(node, "parameters", ()) if isinstance(name, tree.Name)}
        for field, value in vars(node).items():
            if field in ("span", "indices", "index", "op", "parameters"):
                continue
            check_free(value, known | own, frame)
