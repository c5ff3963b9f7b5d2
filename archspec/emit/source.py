"""A plan as the source of one nn.Module: a class per distinct section, and the model that runs them in order."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from archspec import __version__
from archspec.cost.parameters import parameters
from archspec.emit.method import arguments, method_lines
from archspec.emit.modules import constructor_lines, shared_lines
from archspec.emit.names import RUNTIME, Variables, class_name
from archspec.emit.settings import freeze_lines, freezes, initial_lines
from archspec.emit.wiring import layers_in_order, shares, tied_layers, variants, wiring
from archspec.emit.wrap import WIDTH, wrapped
from archspec.ir.nodes import Program, Section
from archspec.passes.schedule import Plan


@dataclass(frozen=True)
class Part:
    """A section under its class name."""

    name: str
    section: Section


def source(plan: Plan) -> str:
    """The text of a Python module whose class `Model` is the architecture.

    Raises SpecError E0311 where a size is not known without a data set.
    """
    parameters(plan.program)  # no text for weights whose shapes nobody knows
    parts, variables = list(named(plan)), Variables(plan.program)
    classes = [*shared_text(plan.program), *(class_text(part, plan, variables) for part in parts)]
    classes += [model_text(plan, parts, variables)]
    body = "\n\n\n".join(classes)
    name = " ".join(plan.program.name.split()).replace("\\", "/").replace('"', "'")
    head = f'"""{name}, compiled by archspec {__version__}."""'
    return f"{head}\n\n{imports(body)}\n\n\n{body}\n"


def named(plan: Plan) -> Iterator[Part]:
    """Every distinct section with a class name of its own, but for those that are methods of another's class."""
    taken: set[str] = set()
    seen = {id(one) for several in variants(plan.program).values() for one in several}
    for _, section in plan.program.sections():
        if id(section) not in seen:
            name = class_name(section.title, taken)
            seen.add(id(section))
            taken.add(name)
            yield Part(name, section)


def imports(body: str) -> str:
    """Import lines for what the body uses."""
    lines = [*(["import torch"] if "torch." in body else []), "from torch import Tensor, nn"]
    if "F." in body:
        lines.append("from torch.nn import functional as F")
    lines.append("")
    for module, names in RUNTIME.items():
        if used := [name for name in names if f"{name}(" in body or name == "Batch"]:
            line = f"from {module} import {', '.join(used)}"
            one_each = "".join(f"    {name},\n" for name in used)
            lines.append(line if len(line) <= WIDTH else f"from {module} import (\n{one_each})")
    return "\n".join(lines)


def method_text(heading: str, lines: Sequence[str]) -> Iterator[str]:
    """A method of a class."""
    yield from wrapped(f"def {heading}:", 4)
    for line in lines:
        depth = len(line) - len(line.lstrip())
        yield from [f"        {line}"] if line.startswith("#") else wrapped(line.strip(), 8 + depth)


def class_text(part: Part, plan: Plan, variables: Variables) -> str:
    """One section as a module."""
    section = part.section
    made = list(constructor_lines(section))
    lines = [f"class {part.name}(nn.Module):"]
    if made:
        lines += [*method_text("__init__(self) -> None", ["super().__init__()", *made]), ""]
    lines += section_text("forward", section, plan, variables)
    for at, other in enumerate(variants(plan.program).get(id(section), []), 2):
        lines += ["", *section_text(f"forward_{at}", other, plan, variables)]
    return "\n".join(lines)


def section_text(name: str, section: Section, plan: Plan, variables: Variables) -> Iterator[str]:
    """The method that computes a section."""
    states = "".join(f", {one}: {annotation(one, variables)}" for one in arguments(section, variables))
    results = "Tensor" if len(section.results) == 1 else f"tuple[{', '.join(['Tensor'] * len(section.results))}]"
    common = ", shared: Shared" if shares(section) else ""
    heading = f"{name}(self, batch: Batch{common}{states}) -> {results}"
    return method_text(heading, method_lines(section, plan, variables))


def annotation(name: str, variables: Variables) -> str:
    """The type of an argument: a state, or what it was after every block."""
    return "list[Tensor]" if name in variables.of_histories.values() else "Tensor"


def model_text(plan: Plan, parts: Sequence[Part], variables: Variables) -> str:
    """The class `Model`."""
    name = {id(part.section): part.name for part in parts}
    program = plan.program
    made = [
        "super().__init__()",
        *(["self.shared = Shared()"] if any(shares(section) for _, section in program.sections()) else []),
        f"self.input = {name[id(program.input)]}()",
        f"self.layers = {tied_layers(program, name) if program.owners else layers_in_order(program, name)}",
        f"self.output = {name[id(program.output)]}()",
        *([f"self.penalty = {name[id(program.penalty)]}()"] if program.penalty else []),
    ]
    counts = "".join(f", {name}={count}" for name, count in columns(program).items())
    steps = [f"batch = as_batch(graphs{counts})", *wiring(program, variables)]
    methods = [
        *method_text("__init__(self) -> None", [*made, *initial_lines(program)]),
        "",
        *forward_text(steps, penalised=program.penalty is not None),
    ]
    if freezes(program):
        methods += ["", *method_text("freeze(self, epoch: int = 1) -> None", list(freeze_lines(program)))]
    return "\n".join(["class Model(nn.Module):", *methods])


def columns(program: Program) -> dict[str, object]:
    """How many columns of categories x and e have, where there are several."""
    found = {str(node["name"]): node["of"] for node in program.input.nodes if node.op == "data" and node.get("of")}
    return dict(sorted(found.items(), reverse=True))


def forward_text(steps: Sequence[str], penalised: bool) -> Iterator[str]:
    """`forward`; where there is a penalty, a method that gives both, which `forward` takes the prediction from."""
    if not penalised:
        yield from method_text("forward(self, graphs: object) -> Tensor", steps)
        return
    yield from method_text("forward(self, graphs: object) -> Tensor", ["return self.with_penalty(graphs)[0]"])
    yield ""
    said = '"""The prediction, and the number that is added to the loss."""'
    yield from method_text("with_penalty(self, graphs: object) -> tuple[Tensor, Tensor]", [said, *steps])


def shared_text(program: Program) -> Iterator[str]:
    """The class of what the model shares, if there is any."""
    if made := list(shared_lines(program)):
        lines = method_text("__init__(self) -> None", ["super().__init__()", *made])
        yield "\n".join(["class Shared(nn.Module):", *lines])
