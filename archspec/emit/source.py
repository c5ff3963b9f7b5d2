"""A plan as the source of one nn.Module: a class per distinct section, and the model that runs them in order."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from archspec import __version__
from archspec.cost.parameters import parameters
from archspec.emit.method import arguments, method_lines
from archspec.emit.modules import constructor_lines, shared_lines
from archspec.emit.names import RUNTIME, Variables, class_name
from archspec.emit.settings import freeze_lines, freezes, initial_lines
from archspec.emit.wrap import WIDTH, wrapped
from archspec.ir.nodes import Program, Section, is_shared
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
    """Every distinct section with a class name of its own."""
    taken: set[str] = set()
    seen: set[int] = set()
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
    states = "".join(f", {name}: {annotation(name, variables)}" for name in arguments(section, variables))
    results = "Tensor" if len(section.results) == 1 else f"tuple[{', '.join(['Tensor'] * len(section.results))}]"
    lines = [f"class {part.name}(nn.Module):"]
    if made:
        lines += [*method_text("__init__(self) -> None", ["super().__init__()", *made]), ""]
    common = ", shared: Shared" if shares(section) else ""
    heading = f"forward(self, batch: Batch{common}{states}) -> {results}"
    return "\n".join([*lines, *method_text(heading, method_lines(section, plan, variables))])


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
    steps = ["batch = as_batch(graphs)", *wiring(program, variables)]
    methods = [
        *method_text("__init__(self) -> None", [*made, *initial_lines(program)]),
        "",
        *forward_text(steps, penalised=program.penalty is not None),
    ]
    if freezes(program):
        methods += ["", *method_text("freeze(self, epoch: int = 1) -> None", list(freeze_lines(program)))]
    return "\n".join(["class Model(nn.Module):", *methods])


def forward_text(steps: Sequence[str], penalised: bool) -> Iterator[str]:
    """`forward`; where there is a penalty, a method that gives both, which `forward` takes the prediction from."""
    if not penalised:
        yield from method_text("forward(self, graphs: object) -> Tensor", steps)
        return
    yield from method_text("forward(self, graphs: object) -> Tensor", ["return self.with_penalty(graphs)[0]"])
    yield ""
    said = '"""The prediction, and the number that is added to the loss."""'
    yield from method_text("with_penalty(self, graphs: object) -> tuple[Tensor, Tensor]", [said, *steps])


def layers_in_order(program: Program, name: Mapping[int, str]) -> str:
    """`nn.ModuleList([*(Layer() for _ in range(4)), Last()])`."""
    runs = [(name[key], len(list(group))) for key, group in groupby(program.layers, key=id)]
    made = ", ".join(f"{one}()" if count == 1 else f"*({one}() for _ in range({count}))" for one, count in runs)
    return f"nn.ModuleList([{made}])"


def tied_layers(program: Program, name: Mapping[int, str]) -> str:
    """`nn.ModuleDict({"0": Layer(), "4": Last()})`: only instances with weights of their own, by their numbers."""
    made = (f'"{owner}": {name[id(program.layers[owner])]}()' for owner in dict.fromkeys(program.owners))
    return f"nn.ModuleDict({{{', '.join(made)}}})"


def shares(section: Section) -> bool:
    """Whether a section takes weights that the model shares."""
    return any(is_shared(node.path) for node in section.nodes)


def shared_text(program: Program) -> Iterator[str]:
    """The class of what the model shares, if there is any."""
    if made := list(shared_lines(program)):
        lines = method_text("__init__(self) -> None", ["super().__init__()", *made])
        yield "\n".join(["class Shared(nn.Module):", *lines])


def wiring(program: Program, variables: Variables) -> Iterator[str]:
    """The calls of the parts in order; states of all layers are kept only where the output reads them."""
    yield f"{states(program.input, variables)} = self.input({', '.join(given(program.input, variables))})"
    for state, kept in variables.of_histories.items():
        yield f"{kept} = [{variables.of_states[state]}]"
    yield from tied_calls(program, variables) if program.owners else layer_calls(program, variables)
    result = f"self.output({', '.join(given(program.output, variables))})"
    if program.penalty:
        yield f"penalty = self.penalty({', '.join(given(program.penalty, variables))})"
        mean = ".mean()" if program.penalty.results[0][1].type.domain.kind == "graph" else ""
        result += f", penalty{mean}"
    yield f"return {result}"


def given(section: Section, variables: Variables) -> list[str]:
    """What a section is called with."""
    return ["batch", *(["self.shared"] if shares(section) else []), *arguments(section, variables)]


def layer_calls(program: Program, variables: Variables) -> Iterator[str]:
    """The layers in order, a loop for those that are called alike."""
    start = 0
    for _, group in groupby(program.layers, key=lambda one: (given(one, variables), states(one, variables))):
        run = list(group)
        yield from loop(run[0], start, start + len(run), len(program.layers), variables)
        start += len(run)


def tied_calls(program: Program, variables: Variables) -> Iterator[str]:
    """The layers in order, a loop for each that is repeated."""
    for owner, group in groupby(program.owners):
        indent = ""
        if (times := len(list(group))) > 1:
            yield f"for _ in range({times}):"
            indent = "    "
        yield from layer_call(program.layers[owner], f'self.layers["{owner}"]', indent, variables)


def loop(section: Section, first: int, last: int, total: int, variables: Variables) -> Iterator[str]:
    """A run of layers that read and change the same states."""
    called, indent = f"self.layers[{first}]", ""
    if last - first > 1:
        which = "self.layers" if (first, last) == (0, total) else f"self.layers[{first}:{last}]"
        yield f"for layer in {which}:"
        called, indent = "layer", "    "
    yield from layer_call(section, called, indent, variables)


def layer_call(section: Section, called: str, indent: str, variables: Variables) -> Iterator[str]:
    """One layer, and the lists of states that the output reads."""
    yield f"{indent}{states(section, variables)} = {called}({', '.join(given(section, variables))})"
    for state, kept in variables.of_histories.items():
        yield f"{indent}{kept}.append({variables.of_states[state]})"


def states(section: Section, variables: Variables) -> str:
    """The names a section's results go by."""
    return ", ".join(variables.of_states[name] for name, _ in section.results)
