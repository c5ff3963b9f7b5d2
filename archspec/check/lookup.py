"""Names to values: locals, states, sizes, definitions, data, the language; and what a wrong one may have meant."""

from collections.abc import Collection
from dataclasses import replace

from archspec.check import structure
from archspec.check.calls import FORMS
from archspec.check.indices import REDUCTIONS, SETS, reduce
from archspec.check.primitives import SPECIAL
from archspec.check.reading import bare
from archspec.check.statements import run
from archspec.check.suggest import nearest
from archspec.check.values import HIDDEN, Foreign, Frame, Function, Listing, Naming, Primitive, Size, Value, broken
from archspec.facts import TABLE, Facts
from archspec.ir.nodes import Node
from archspec.ir.ops import PRIMITIVES
from archspec.ir.types import EDGE, NEIGHBOURS, NODE, TARGETS, Axis, Type
from archspec.syntax import tree

GRAPH_NAMES = ("degree", *structure.PER_PAIR)
RAW = ("x", "e", "pos")
"""The data's own features, for `input` alone."""

DATA_NAMES = (*RAW, "depth", "out", "letters", *GRAPH_NAMES)
"""Names that come from the data, the graph and the stack."""


def name(expression: tree.Name, frame: Frame) -> Value:
    """What a name stands for here: locals, states, definitions, sizes, data, primitives, sets."""
    wanted, found = expression.id, look_up(expression.id, frame)
    if found is not None:
        return found if wanted == HIDDEN else bare(expression, found, frame)
    for table in (from_spec, from_data, from_language):
        value = table(expression, frame)
        if value is not None:
            return bare(expression, value, frame)
    return unknown(wanted, expression, frame)


def look_up(wanted: str, frame: Frame) -> Value | None:
    """A local, which hides nothing else; a state in a section's own text."""
    if wanted in frame.locals:
        return frame.locals[wanted]
    return frame.place.states.get(wanted) if frame.sees_states else None


def from_spec(expression: tree.Name, frame: Frame) -> Value | None:
    """A size or a definition."""
    if expression.id in frame.world.sizes:
        return frame.world.sizes[expression.id]
    definition = frame.world.definition(expression.id)
    return None if definition is None else defined(definition, frame)


def defined(definition: tree.Definition, frame: Frame) -> Value:
    """A function, or the one value per section of a definition without arguments."""
    heading = definition.heading
    if heading.name in frame.world.endless:
        return broken(heading.span)
    if heading.parameters is not None or not definition.body.result:
        return Function(heading.name, heading.parameters or (), definition.body, definition=heading.name)
    if heading.name not in frame.place.once:
        frame.place.once[heading.name] = value_once(definition, frame)
    return frame.place.once[heading.name]


def value_once(definition: tree.Definition, frame: Frame) -> Value:
    """The value of `eps: scalar(0)`, named after the definition; another name of a function keeps its new name."""
    heading, body = definition.heading, definition.body
    alone = not body.statements and len(body.result) == 1 and isinstance(body.result[0], tree.Call | tree.Pipe)
    naming = frame.place.naming if alone else Naming(heading.name)
    inner = Frame(frame.world, frame.place, naming, calls=frame.calls)
    value = frame.world.evaluate(body.result[0], replace(inner, alone=heading.name)) if alone else run(body, inner)
    return replace(value, name=heading.name) if isinstance(value, Function | Primitive | Foreign) else value


def from_data(expression: tree.Name, frame: Frame) -> Value | None:
    """Raw features, the depth, degrees, and the sizes the data set knows."""
    if expression.id in RAW:
        return raw_features(expression, frame)
    if expression.id == "depth":
        return depth(expression, frame)
    if expression.id in ("out", "letters"):
        return size(expression, frame)
    if expression.id == "degree":
        ones = tree.Reduce(
            expression.span,
            tree.Name(expression.span, "sum"),
            tree.Name(expression.span, "j"),
            tree.Name(expression.span, "N"),
            tree.Literal(expression.span, 1),
        )
        return reduce(ones, frame.whole())
    return structure.per_pair(expression) if expression.id in structure.PER_PAIR else None


def size(expression: tree.Name, frame: Frame) -> Value:
    """`out`, or `letters`, which is one number only where x is one category."""
    facts = frame.world.facts
    number = getattr(facts, expression.id) if facts else None
    if isinstance(number, tuple):
        message = f"x has {len(number)} columns of categories, and `letters` is the size of one vocabulary"
        return frame.error("E0405", expression.span, message, help="write a number, or a size of your own")
    return Size(Axis(expression.id, number))


def raw_features(expression: tree.Name, frame: Frame) -> Value:
    """`x`, `e` or `pos` as the data has it, per node or per edge; in `input` alone.

    Numbers or a category; a list of categories where there are several columns of them.
    """
    wanted, facts = expression.id, frame.world.facts
    if not frame.place.raw or not frame.sees_states:
        return unknown(wanted, expression, frame)
    found = raw_types(wanted, facts)
    named: tuple[tuple[str, object], ...] = (("name", wanted),)
    match found:
        case ():
            return absent(expression, frame)
        case [only]:
            return Node("data", (), only, expression.span, named)
    columns = [(*named, ("column", at), ("of", len(found))) for at in range(len(found))]
    return Listing(
        tuple(
            Node("data", (), one, expression.span, attributes) for one, attributes in zip(found, columns, strict=True)
        )
    )


def raw_types(name: str, facts: Facts | None) -> tuple[Type, ...]:
    """What raw data is: without a data set x and e are categories of an unknown number; empty where it has no such."""
    domain = EDGE if name == "e" else NODE
    if facts is None:
        return (Type(domain, (Axis("", None),)) if name == "pos" else Type(domain, (), "category"),)
    letters, features = {
        "x": (facts.letters, facts.features),
        "e": (facts.edge_letters, facts.edge_features),
        "pos": (None, facts.positions),
    }[name]
    if letters is not None:
        columns = letters if isinstance(letters, tuple) else (letters,)
        return tuple(Type(domain, (), "category", one) for one in columns)
    return () if features is None else (Type(domain, (Axis("", features),)),)


def absent(expression: tree.Name, frame: Frame) -> Value:
    """Features that the data set lacks, with the data sets that have them."""
    wanted, what = expression.id, {"x": "node features", "e": "edge features", "pos": "positions"}[expression.id]
    having = [name for name, facts in TABLE.items() if raw_types(wanted, facts)]
    cure = f"data sets with {what}: {', '.join(having)}" if having else "make its states from `x` alone"
    assert frame.world.facts is not None  # without a data set everything may be there
    message = f"the data set `{frame.world.facts.name}` has no {what}"
    return frame.error("E0405", expression.span, message, help=cure)


def depth(expression: tree.Name, frame: Frame) -> Value:
    """The number, from 1, of the block instance."""
    if frame.place.depth is None:
        return frame.error(
            "E0211", expression.span, "`depth` is known in the blocks of `stack` only", help="write a number"
        )
    frame.place.depth_read = True
    return frame.place.depth


def from_language(expression: tree.Name, frame: Frame) -> Value | None:
    """A primitive or an index set."""
    wanted = expression.id
    if wanted in SPECIAL:
        return Primitive(wanted, None, wanted)
    if wanted in PRIMITIVES:
        return Primitive(wanted, PRIMITIVES[wanted])
    return targets(expression, frame) if wanted == "targets" else SETS.get(wanted)


def targets(expression: tree.Name, frame: Frame) -> Value:
    """The pairs that have labels: all edges, or those that the data lists; E0405 where labels are of something else."""
    facts = frame.world.facts
    if facts is None or facts.level == "pair":
        return TARGETS
    if facts.level == "edge":
        return NEIGHBOURS
    having = ", ".join(name for name, one in TABLE.items() if one.level in ("edge", "pair"))
    message = f"the data set `{facts.name}` has labels per {facts.level}, so there are no targets"
    cure = f"name another set, such as N or V; data sets with labels of edges or pairs: {having}"
    return frame.error("E0405", expression.span, message, help=cure)


def unknown(wanted: str, expression: tree.Name, frame: Frame, known: Collection[str] = ()) -> Value:
    """A name that means nothing here, with what would cure it; reported once a place."""
    cure, notes = "", ("a definition sees its arguments and the other definitions",)
    if any(one.code == "E0201" and one.span == expression.span for one in frame.world.problems.found):
        return broken(expression.span)
    if wanted in frame.world.states:
        message = f"the state {wanted} is not seen here"
        cure = f"hand it over: write `({wanted})` behind its name, in the heading and in calls"
    elif wanted in RAW:
        message = f"the data's {wanted} is readable in `input` alone"
        cure = f"make a state of it in `input`: `{wanted} = encode({wanted}, d)`"
    elif wanted in FORMS:
        cure = f"reduce with it: `{wanted}[j in N](…)`" if wanted in REDUCTIONS else f"call it: `{wanted}(…)`"
        return frame.error("E0206", expression.span, f"`{wanted}` is no value", help=cure)
    elif wanted == "i":
        return frame.error("E0207", expression.span, "the index i is no value", help="read a field at it: `x[i]`")
    else:
        known = known or known_names(frame)
        message, cure = f"unknown name `{wanted}`", nearest(wanted, known) or f"known here: {own_names(known, frame)}"
    return frame.error(
        "E0201", expression.span, message, notes=notes if wanted in frame.world.states else (), help=cure
    )


LANGUAGE = frozenset((*PRIMITIVES, *SPECIAL, *FORMS, *SETS, *DATA_NAMES))
"""Names that mean something in every spec."""


def known_names(frame: Frame) -> set[str]:
    """Every name that can be meant here."""
    world = frame.world
    states = world.states if frame.sees_states else ()
    return {*world.sizes, *world.definitions, *world.library, *states, *frame.locals, *LANGUAGE} - {HIDDEN}


def own_names(known: Collection[str], frame: Frame) -> str:
    """The names a spec gave, some of them where they are many."""
    names = sorted(set(known) - LANGUAGE - (set(frame.world.library) - set(frame.world.definitions)) - {"i"})
    return ", ".join(names[:8]) + (", …" if len(names) > 8 else "")
