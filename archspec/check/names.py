"""The one namespace of a spec: sizes evaluated, clashes reported, and every definition's names looked up.

Definitions that nothing uses are looked at too: a typo in one is reported before the day it is needed.
"""

from collections import ChainMap
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from archspec.check.calls import FORMS
from archspec.check.indices import SETS
from archspec.check.lookup import DATA_NAMES, RAW, known_names, unknown
from archspec.check.primitives import SPECIAL
from archspec.check.torch_names import names_no_weight
from archspec.check.values import Frame, Listing, Size, Value, is_broken, number_of
from archspec.ir.ops import PRIMITIVES
from archspec.ir.types import Axis
from archspec.source import Span
from archspec.syntax import tree
from archspec.syntax.spec import Spec

LANGUAGE: tuple[tuple[str, frozenset[str]], ...] = (
    ("a primitive", frozenset((*PRIMITIVES, *SPECIAL))),
    ("a form of the language", frozenset(FORMS)),
    ("an index set", frozenset(SETS)),
    ("an index", frozenset(("i",))),
    ("a name from the data", frozenset(DATA_NAMES) - set(RAW)),
)
"""Words nobody may take for something else, and what each is."""

Named = tree.Parameter | tree.Target | tree.Name


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
        whole = type(number) is int and number > 0
        formula = value.axis.formula or value.axis.name or None if isinstance(value, Size) else None
        sizes[name] = Size(Axis(name, number, formula)) if whole or isinstance(value, Size) else value  # type: ignore[arg-type]
    return sizes


def check_clashes(spec: Spec, states: Mapping[str, tree.Target], frame: Frame) -> bool:
    """Sizes, definitions and states share one namespace with the language; definitions override the library.

    True where there are clashes: what else is found would then depend on which of two meanings is taken.
    """
    sizes, fields = ("a size", spec.sizes), ("a state", states)
    before = len(frame.world.problems.found)
    for name, expression in spec.sizes.items():
        report(name, expression.span, (), frame)
    for name, definition in spec.definitions.items():
        taken = names_no_weight(name) if definition.body.result else ""  # blocks name no weights
        report(name, definition.heading.span, (fields, sizes), frame, taken)
        for argument in definition.heading.parameters or () if not definition.body.result else ():
            report(argument.name, argument.span, (fields,), frame)
    for name, target in states.items():
        report(name, target.span, (sizes,), frame)
    return len(frame.world.problems.found) > before


def check_locals(spec: Spec, states: Mapping[str, tree.Target], frame: Frame) -> None:
    """Locals and arguments have names of their own too, but may be called like states where none are seen."""
    sizes, definitions = ("a size", spec.sizes), ("a definition", spec.definitions)
    for definition in spec.definitions.values():
        fixed = {} if definition.body.result else states
        for argument in definition.heading.parameters or ():
            report(argument.name, argument.span, (sizes, definitions), frame)
        for local in named_in(definition):
            if name_of(local) not in fixed:
                report(name_of(local), local.span, (sizes, definitions), frame)
        check_weights(definition.body, fixed, frame)
    ends = [spec.output, *([spec.penalty] if spec.penalty else [])]
    for local in (found for body in (spec.input, *ends) for found in named_in(body)):
        if name_of(local) not in states:
            report(name_of(local), local.span, (sizes, definitions), frame)
    for body in ends:
        check_weights(body, {}, frame)


def check_weights(body: tree.Body, states: Iterable[str], frame: Frame) -> None:
    """Locals that a call is named after can name its weights."""
    for statement in body.statements:
        alone = len(statement.targets) == len(statement.values)
        for target, value in zip(statement.targets, statement.values if alone else (), strict=False):
            if target.name not in states and isinstance(value, tree.Call | tree.Pipe):
                report(target.name, target.span, (), frame, names_no_weight(target.name))


def report(name: str, span: Span, tables: Iterable[tuple[str, object]], frame: Frame, taken: str = "") -> None:
    """A clash of names."""
    found = next((what for what, table in (*LANGUAGE, *tables) if name in table), "") or taken  # type: ignore[operator]
    if found:
        cure = f"choose another name, such as `{name.strip('_') or 'a'}_`"
        frame.error("E0202", span, f"`{name}` is {found} already", help=cure)


def named_in(node: tree.Node) -> Iterator[Named]:
    """Names that statements, lambdas and indices bring, arguments of a definition left out."""
    for found in tree.walk(node):
        if isinstance(found, tree.Target):
            yield found
        elif isinstance(found, tree.Lambda):
            yield from found.parameters
        if isinstance(found, tree.Reduce) and found.index.id != "i":
            yield found.index
        if isinstance(found, tree.Target):
            yield from (name for name in found.indices if name.id != "i")


def name_of(named: Named) -> str:
    """The name itself."""
    return named.id if isinstance(named, tree.Name) else named.name


def check_unused(spec: Spec, states: Iterable[str], frame: Frame) -> None:
    """Look up the free names of every definition, used or not; those with states are blocks."""
    names = known_names(frame)
    for definition in spec.definitions.values():
        block = not definition.body.result
        arguments = [parameter.name for parameter in definition.heading.parameters or ()]
        known = names | {name_of(local) for local in named_in(definition)} | set(arguments) | {"i"}
        known = known | set(states) if block else known - {*states, *RAW} | assigned_in(definition, arguments)
        for node in (*(definition.heading.parameters or ()), definition.body):
            check_free(node, known, frame)


def assigned_in(definition: tree.Definition, arguments: Iterable[str]) -> set[str]:
    """The names a definition gives itself, some of which may be those of states."""
    return {name_of(local) for local in named_in(definition)} | set(arguments)


def check_free(node: object, known: set[str], frame: Frame) -> None:
    """Report names that nothing gives, below a node."""
    for found in names_read(node):
        if found.id not in known:
            unknown(found.id, found, frame, known)


def names_read(node: object) -> Iterator[tree.Name]:
    """The names whose values are read below a node: not indices, reductions, or what a lambda takes."""
    if isinstance(node, tuple):
        for item in node:
            yield from names_read(item)
    elif isinstance(node, tree.Name):
        yield node
    elif isinstance(node, tree.Call) and isinstance(node.function, tree.Name) and node.function.id == "layers":
        yield node.function
    elif isinstance(node, tree.Node):
        skipped = ("span", "indices", "index", "parameters", *(("op",) if isinstance(node, tree.Reduce) else ()))
        for field in node.__dataclass_fields__:
            if field not in skipped:
                yield from names_read(getattr(node, field))


def check_endless(spec: Spec, frame: Frame) -> None:
    """Report definitions that call themselves, and keep them from being expanded."""
    world = frame.world
    definitions = ChainMap(dict(spec.definitions), world.library)  # type: ignore[arg-type]
    calls: dict[str, dict[str, Span]] = {}
    left = list(spec.definitions)  # a chain that comes back has one of these in it
    while left:
        if (name := left.pop()) not in calls:
            calls[name] = references(definitions[name], definitions)
            left += calls[name]
    for name in (one for one in definitions if one in calls):
        chain = way_back(name, calls)
        if chain and not world.endless & set(chain):
            world.endless.update(chain)
            shown = " → ".join((*chain, name))
            at = calls[chain[-1]][name]
            frame.error("E0204", at, f"the definition calls itself: {shown}", help="use `stack` to repeat a block")
        elif chain:
            world.endless.update(chain)


def references(definition: tree.Definition, definitions: Mapping[str, tree.Definition]) -> dict[str, Span]:
    """The definitions that one names, and where first."""
    own = assigned_in(definition, [parameter.name for parameter in definition.heading.parameters or ()])
    found: dict[str, Span] = {}
    for name in (*names_read(definition.body), *names_read(definition.heading)):
        if name.id in definitions and name.id not in own:
            found.setdefault(name.id, name.span)
    return found


def way_back(name: str, calls: Mapping[str, Mapping[str, Span]]) -> tuple[str, ...]:
    """The shortest chain of definitions from one to itself, its own name first; empty where there is none."""
    ways: list[tuple[str, ...]] = [(name,)]
    seen: set[str] = set()
    for way in ways:
        for next_name in calls[way[-1]]:
            if next_name == name:
                return way
            if next_name not in seen:
                seen.add(next_name)
                ways.append((*way, next_name))
    return ()
