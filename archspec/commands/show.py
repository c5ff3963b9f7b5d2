"""`archspec show`: any stage of a spec between its text and its module, as text."""

from collections.abc import Callable, Iterator, Mapping
from math import prod
from pathlib import Path
from typing import TypeGuard

import click

from archspec.commands.options import spec_options
from archspec.compare.expand import expand as standing_alone
from archspec.cost.details import details
from archspec.cost.parameters import parameters, uncounted
from archspec.diagnostics import Diagnostic, SpecError
from archspec.facts import with_defaults
from archspec.ir.groups import by_name, say
from archspec.ir.nodes import Program
from archspec.ir.printer import program_text
from archspec.ir.settings import Drawn, Values, frozen, initial, shape_of
from archspec.notation.details import detailed
from archspec.notation.diagram import diagram
from archspec.notation.document import document, terminal
from archspec.notation.dot import dot
from archspec.notation.svg import svg
from archspec.passes.optimise import PASSES, optimise
from archspec.passes.printer import plan_text
from archspec.pipeline import compile_spec, facts_of
from archspec.syntax import tree
from archspec.syntax.load import load_spec
from archspec.syntax.schema import OptimizerSettings
from archspec.syntax.spec import Spec


def spec_text(spec: Spec, backend: Mapping[str, str]) -> str:
    """The resolved spec in canonical form."""
    return with_defaults(spec, facts_of(spec)).text


def tree_text(spec: Spec, backend: Mapping[str, str]) -> str:
    """The syntax tree of every equation."""
    parts: list[tuple[str, tree.Node]] = [(f"sizes.{name}", value) for name, value in spec.sizes.items()]
    parts += [("input", spec.input), ("stack", spec.stack), ("output", spec.output)]
    parts += [("penalty", spec.penalty)] if spec.penalty else []
    parts += [(f"where.{name}", definition) for name, definition in spec.definitions.items()]
    return "\n".join(line for title, node in parts for line in branch(title, node, 0)) + "\n"


def branch(title: str, node: tree.Node, depth: int) -> Iterator[str]:
    """A node on a line with its plain fields, and what is under it, two spaces deeper, each behind its field."""
    fields = [(key, getattr(node, key)) for key in node.__dataclass_fields__ if key != "span"]
    plain = "".join(f" {key}={value!r}" for key, value in fields if not nested(value) and value not in (None, ()))
    yield f"{'  ' * depth}{title}: {type(node).__name__}{plain}"
    for key, value in fields:
        if isinstance(value, tree.Node):
            yield from branch(key, value, depth + 1)
        elif nested(value):
            for at, item in enumerate(value):
                yield from branch(f"{key}[{at}]", item, depth + 1)


def nested(value: object) -> TypeGuard[tuple[tree.Node, ...]]:
    """Whether a field holds nodes."""
    return isinstance(value, tree.Node) or (isinstance(value, tuple) and bool(value))


def ir_text(spec: Spec, backend: Mapping[str, str]) -> str:
    """The typed program right out of the checker."""
    return program_text(compile_spec(spec, backend=backend).program)


def planned(spec: Spec, backend: Mapping[str, str]) -> str:
    """The optimised program with the form of every fused operation."""
    return plan_text(compile_spec(spec, backend=backend).plan)


def code(spec: Spec, backend: Mapping[str, str]) -> str:
    """The emitted Python source."""
    return compile_spec(spec, backend=backend).code


def mathematics(spec: Spec, backend: Mapping[str, str]) -> str:
    """The equations as mathematics in Unicode."""
    return terminal(spec)


def as_latex(spec: Spec, backend: Mapping[str, str]) -> str:
    """The equations as a LaTeX document."""
    return document(spec)


def as_diagram(spec: Spec, backend: Mapping[str, str]) -> str:
    """The picture as a graph in DOT."""
    return dot(diagram(spec))


PICTURES = {".svg": svg, ".dot": dot, ".gv": dot}
"""How a picture is written, by the ending of the file."""


def picture(spec: Spec, path: Path | None, detail: bool) -> str:
    """The picture as the ending says, DOT for the terminal. E0650 for another ending."""
    write = PICTURES.get(path.suffix if path else ".dot")
    if write is None:
        message = f"a diagram is SVG or DOT, and `{path.name if path else ''}` ends in neither"
        raise SpecError([Diagnostic("E0650", message, path=str(path), help="end it in `.svg`, or in `.dot`")])
    drawn = diagram(spec)
    return write(detailed(drawn, spec, details(compile_spec(spec).program)) if detail else drawn)


def params(spec: Spec, backend: Mapping[str, str]) -> str:
    """Every trainable tensor with its shape and size, and the total."""
    program = compile_spec(spec, backend=backend).program
    shapes, said = parameters(program), remarks(program, spec.settings.train.optimizer)
    width = max(map(len, shapes), default=0)
    lines = [
        f"{name:<{width}}  {shape!s:<14} {prod(shape):>10,}  {said.get(name, '')}".rstrip()
        for name, shape in shapes.items()
    ]
    if elsewhere := uncounted(program):
        lines.append(elsewhere.strip())
    total = sum(map(prod, shapes.values()))
    return "\n".join([*lines, f"{'total':<{width}}  {'':<14} {total:>10,}"]) + "\n"


def remarks(program: Program, optimizer: OptimizerSettings) -> dict[str, str]:
    """What `parameters:` and `train.optimizer.groups` say of each weight, in words."""
    said = {name: [f"init {shown(init)}"] for name, init in initial(program.settings).items()}
    for name, until in frozen(program.settings).items():
        said.setdefault(name, []).append("frozen" if until is True else f"frozen until epoch {until}")
    for name, options in by_name(program, optimizer, parameters(program)).items():
        said.setdefault(name, []).append(say(options))
    return {name: ", ".join(parts) for name, parts in said.items()}


def shown(init: Values | Drawn) -> str:
    """An initial value, a long one by its shape."""
    text = str(init) if isinstance(init, Drawn) else values_text(init)
    return text if len(text) <= LONGEST or not isinstance(init, tuple) else f"values {shape_of(init)}"


def values_text(init: Values) -> str:
    """Rows of numbers as the spec has them."""
    return f"[{', '.join(map(values_text, init))}]" if isinstance(init, tuple) else f"{init:g}"


LONGEST = 40
"""Characters of an initial value that are shown."""

STAGES: Mapping[str, Callable[[Spec, Mapping[str, str]], str]] = {
    "spec": spec_text,
    "tree": tree_text,
    "ir": ir_text,
    "plan": planned,
    "code": code,
    "params": params,
    "math": mathematics,
    "latex": as_latex,
    "diagram": as_diagram,
}
"""The stages that can be shown, in the order they are made; then the equations as mathematics."""


@click.command("show")
@click.argument("spec")
@click.option("--as", "stage", type=click.Choice(list(STAGES)), help="The stage; default spec, or ir with `--after`.")
@click.option("--after", metavar="PASS", help="The program after this pass.")
@click.option("--expand", is_flag=True, help="Write what it uses of the library into it, so that it stands alone.")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="Write it there, over what is there."
)
@click.option("--detail", is_flag=True, help="In a diagram also the axes of values and the shapes of weights.")
@click.option("--backend", multiple=True, metavar="OP=FORM", help="Force the form of an operation in the plan.")
@spec_options
def command(
    spec: str,
    stage: str | None,
    after: str | None,
    expand: bool,
    output: Path | None,
    detail: bool,
    backend: tuple[str, ...],
    overrides: tuple[str, ...],
) -> None:
    """Print SPEC at one stage on its way to a module, or its equations as mathematics or a diagram.

    Without `--as` it is the spec itself, resolved: `extends`, `uses` and `--set` merged, defaults written out.
    A diagram in the terminal is text in the language DOT; `-o FILE.svg` draws it.
    """
    if after and stage not in (None, "ir"):
        message = f"`--after` shows the program, not `--as {stage}`"
        raise SpecError([Diagnostic("E0044", message, help="write `--as ir`")])
    if detail and stage != "diagram":
        message = f"`--detail` is for a diagram, not for `--as {stage or 'spec'}`"
        raise SpecError([Diagnostic("E0044", message, help="write `--as diagram`")])
    read = load_spec(spec, overrides)
    read = standing_alone(read) if expand else read
    if stage == "diagram":
        text = picture(read, output, detail)
    else:
        text = program_after(read, after) if after else STAGES[stage or "spec"](read, forced(backend))
    if output is None:
        click.echo(text, nl=not text.endswith("\n"))
    elif not output.parent.is_dir():
        cure = "make it first"
        raise SpecError([Diagnostic("E0652", f"there is no folder `{output.parent}`", path=str(output), help=cure)])
    else:
        output.write_text(text if text.endswith("\n") else f"{text}\n", encoding="utf-8")


def forced(backend: tuple[str, ...]) -> dict[str, str]:
    """`neighbour_sum=dense` as a mapping."""
    pairs = [one.partition("=") for one in backend]
    for op, equals, form in pairs:
        if not equals or not form:
            raise SpecError(
                [Diagnostic("E0044", f"`--backend {op}` names no form", help="write `--backend neighbour_sum=dense`")]
            )
    return {op: form for op, _, form in pairs}


def program_after(spec: Spec, name: str) -> str:
    """The program as a pass leaves it; a pass that runs twice shows its last result."""
    seen: dict[str, Program] = {}
    optimise(compile_spec(spec).program, seen.__setitem__)
    if name not in seen:
        known = ", ".join(dict.fromkeys(one.__name__ for one in PASSES))
        raise SpecError([Diagnostic("E0044", f"there is no pass `{name}`", help=f"one of {known}")])
    return program_text(seen[name])
