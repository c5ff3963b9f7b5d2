"""The stack unrolled: input, block instances and output, each expanded into a section of the IR."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from archspec.check.build import as_node
from archspec.check.calls import bind, given_arguments
from archspec.check.sets import as_state, section_of
from archspec.check.statements import run, run_block
from archspec.check.suggest import closest
from archspec.check.unreachable import check_distances
from archspec.check.values import Frame, Function, Place, Value, World, is_broken, number_of
from archspec.ir.nodes import Node, Section
from archspec.ir.types import EDGE, GRAPH, NODE, TARGETS, Domain, Type, pair
from archspec.source import Span
from archspec.syntax import tree
from archspec.syntax.spec import Spec

MOST_BLOCKS = 10_000
"""Block instances at most: more is a slip of the pen."""

States = dict[str, Type]


@dataclass(frozen=True)
class Instance:
    """One block instance before expansion: the definition and the call that hands it arguments."""

    definition: tree.Definition
    call: tree.Call
    back: int = 0
    """It has the weights of the instance so many before it; 0 is its own."""


@dataclass
class Unrolled:
    """Sections as they are made; equal instances share one."""

    layers: list[Section] = field(default_factory=list)
    owners: list[int] = field(default_factory=list)
    places: list[Span] = field(default_factory=list)
    made: dict[tuple, tuple[Section, bool]] = field(default_factory=dict)


def frame_of(world: World, place: Place, sees_states: bool = True) -> Frame:
    """The frame a section's own text is read in."""
    return Frame(world, place, place.naming, sees_states=sees_states)


def state_nodes(states: States, span: Span, layer: int | None = None) -> dict[str, Node]:
    """The states as they come into a section, or as they were after a block instance."""
    return {
        name: Node("state", (), type, span, (("name", name), ("layer", layer)), name=name)
        for name, type in states.items()
    }


def input_section(spec: Spec, world: World) -> tuple[Section, States]:
    """The states made from the data."""
    place = Place("Input", {}, raw=True)
    frame = frame_of(world, place)
    changed = run_block(spec.input, frame)
    for expression in spec.input.result:
        frame.error(
            "E0214",
            expression.span,
            "`input` ends in a value; it names states",
            help=f"write `x = {expression.span.text}`",
        )
    return section("Input", changed, place, spec.input.span, frame)


def section(title: str, changed: tuple[str, ...], place: Place, span: Span, frame: Frame) -> tuple[Section, States]:
    """The section of the states that were assigned, and their types."""
    results = tuple((name, as_node(place.states[name], tree.Name(span, name), frame)) for name in changed)
    results = tuple((name, as_state(name, node, node.span, frame)) for name, node in results)
    made = section_of(title, results, frame)
    check_distances(made, frame)
    return made, {name: node.type for name, node in results}


def instances(stage: tree.Stage, frame: Frame) -> list[Instance]:
    """The block instances of a stack in order."""
    if isinstance(stage, tree.Chain):
        return [one for inner in stage.stages for one in instances(inner, frame)]
    if isinstance(stage, tree.Repeat):
        return repeats(stage, frame)
    if isinstance(stage, tree.Call) and isinstance(stage.function, tree.Name) and stage.function.id == "tied":
        return tied(stage, frame)
    call = stage if isinstance(stage, tree.Call) else tree.Call(stage.span, stage, ())
    return block(call, frame)


def repeats(stage: tree.Repeat, frame: Frame) -> list[Instance]:
    """`4 * layer`."""
    value = frame.value(stage.count)
    count = number_of(value)
    if not isinstance(count, int) or isinstance(count, bool) or count < 0:
        if not is_broken(value):
            frame.error(
                "E0301",
                stage.count.span,
                "the number of repeats is not a whole number from 0 on",
                help="such as `4 * layer`",
            )
        return []
    inner = instances(stage.stage, frame)
    if count * len(inner) > MOST_BLOCKS:
        message = f"{count * len(inner)} blocks are more than {MOST_BLOCKS}"
        frame.error("E0301", stage.count.span, message, help="repeat it less often")
        return []
    return inner * count


def tied(call: tree.Call, frame: Frame) -> list[Instance]:
    """`tied(4 * layer)`: the repeats have the weights of the first."""
    stage = call.arguments[0].value
    if not isinstance(stage, tree.Repeat):
        cure = f"such as `tied(4 * {stage.span.text})`"
        frame.error("E0203", call.span, "`tied` takes a repeated stage", help=cure)
        return []
    whole = repeats(stage, frame)
    one = len(instances(stage.stage, frame))
    return [replace(instance, back=instance.back + at // one * one) for at, instance in enumerate(whole)]


def block(call: tree.Call, frame: Frame) -> list[Instance]:
    """One use of a block by name; a mistyped name is reported and read as the block it may stand for."""
    name = call.function.id if isinstance(call.function, tree.Name) else ""
    definition = frame.world.definition(name) or unknown_block(name, call, frame)
    if definition is None:
        return []
    if definition.body.result:
        shown = definition.body.result[0].span.text
        frame.error(
            "E0210",
            call.span,
            f"`{name}` ends in a value: it is a function, not a block",
            help=f"end it with an assignment to a state, such as `x = {shown}`",
        )
        return []
    return [Instance(definition, call)]


def unknown_block(name: str, call: tree.Call, frame: Frame) -> tree.Definition | None:
    """Report a name no block has; what is wrong inside the block it may stand for is then found in the same go."""
    blocks = {one: found for one, found in frame.world.definitions.items() if not found.body.result}
    meant = closest(name, blocks)
    cure = f"write `{meant}`" if meant else f"blocks: {', '.join(blocks)}" if blocks else "define it in `where`"
    frame.error("E0201", call.function.span, f"unknown block `{call.function.span.text}`", help=cure)
    return blocks.get(meant)


def layer(instance: Instance, states: States, depth: int, unrolled: Unrolled, world: World) -> Section:
    """The section of a block instance; one made before serves again where nothing it depends on differs."""
    key = (id(instance.definition), instance.call, tuple(states.items()))
    for again in (key, (*key, depth)):
        if again in unrolled.made:
            return unrolled.made[again][0]
    span = instance.definition.body.span
    place = Place(instance.definition.heading.name, dict(state_nodes(states, span)), depth=depth)
    made = expand(instance, place, world)
    unrolled.made[(*key, depth) if place.depth_read else key] = (made, place.depth_read)
    return made


def expand(instance: Instance, place: Place, world: World) -> Section:
    """Run the block's statements."""
    frame = frame_of(world, place)
    heading = instance.definition.heading
    if heading.name in world.endless:
        return Section(heading.name, ())
    function = Function(heading.name, heading.parameters or (), instance.definition.body)
    given = given_arguments(function, instance.call, replace(frame, sees_states=False))
    inner = replace(frame, locals={})
    if given is not None:
        bind(function.parameters, given, inner)
    changed = run_block(instance.definition.body, inner) if given is not None else ()
    if given is not None and not changed:
        frame.error(
            "E0215",
            heading.span,
            f"the block {heading.name} changes no state",
            help=f"assign one of {', '.join(sorted(world.states))}",
        )
    return section(heading.name, changed, place, heading.span, frame)[0]


def output_section(spec: Spec, world: World, history: Mapping[str, tuple[Node, ...]], states: States) -> Section:
    """The prediction."""
    place = Place("Output", dict(state_nodes(states, spec.output.span)), history)
    frame = frame_of(world, place)
    value: Value = (
        run(spec.output, frame)
        if spec.output.result
        else frame.error(
            "E0214",
            spec.output.span,
            "`output` ends in an assignment; it is the prediction",
            help="end it with a value: `linear(x, out)`",
        )
    )
    at = spec.output.result[0] if spec.output.result else tree.Name(spec.output.span, "output")
    if len(spec.output.result) > 1:
        last = spec.output.result[0].span.to(spec.output.result[-1].span)
        message = f"the prediction is one value, not {len(spec.output.result)}"
        value = frame.error("E0310", last, message, help="join them: `concat(…)`")
    node = as_node(value, at, frame)
    check_prediction(node, at.span, frame)
    made = section_of("Output", (("", node),), frame)
    check_distances(made, frame)
    return made


def check_prediction(node: Node, span: Span, frame: Frame) -> None:
    """The prediction is one row per label, with a number for every class, or for every number to predict."""
    facts = frame.world.facts
    if is_broken(node) or facts is None:
        return
    domain, cure = LEVELS[facts.level]
    if node.type.domain != domain or node.type.entries != "number":
        said = str(node.type.domain) if node.type.entries == "number" else f"a {node.type.entries}"
        message = f"the prediction is {said}; the data set has labels {domain}"
        frame.error("E0310", span, message, label=str(node.type), help=cure)
    elif [axis.size for axis in node.type.axes] != [facts.out]:
        wanted = f"one number for each of the {facts.out} classes" if "class" in facts.task else f"of size {facts.out}"
        message = f"the prediction must have the axis out, {wanted}"
        frame.error("E0310", span, message, label=str(node.type), help="end with `linear(x, out)`")


LEVELS: Mapping[str, tuple[Domain, str]] = {
    "node": (NODE, "end with `linear(x, out)` of a state per node"),
    "graph": (GRAPH, "end with a value per graph: `linear(mean[i in V](x[i]), out)`"),
    "edge": (EDGE, "end with a value per edge: `y[i, j in N] = linear(concat(x[i], x[j]), out)`, then `y`"),
    "pair": (
        pair(TARGETS),
        "end with a value on the targets: `y[i, j in targets] = linear(concat(x[i], x[j]), out)`, then `y`",
    ),
}
"""Where a prediction lives and how it ends, by what carries a label."""
