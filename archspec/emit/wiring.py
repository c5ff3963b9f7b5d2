"""How the model makes its parts and calls them in order: the layers, those that are tied, and the ends."""

from collections.abc import Iterator, Mapping
from itertools import groupby

from archspec.emit.method import arguments
from archspec.emit.names import Variables
from archspec.ir.nodes import Program, Section, is_shared


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
    methods = {id(one): f".forward_{at}" for several in variants(program).values() for at, one in enumerate(several, 2)}
    for (owner, _), group in groupby(
        zip(program.owners, program.layers, strict=True), key=lambda one: (one[0], id(one[1]))
    ):
        run = [section for _, section in group]
        indent = ""
        if len(run) > 1:
            yield f"for _ in range({len(run)}):"
            indent = "    "
        called = f'self.layers["{owner}"]{methods.get(id(run[0]), "")}'
        yield from layer_call(run[0], called, indent, variables)


def variants(program: Program) -> Mapping[int, list[Section]]:
    """By the identity of a section, those that have its weights and do something else: repeats that read `depth`."""
    found: dict[int, dict[int, Section]] = {}
    for owner, section in zip(program.owners, program.layers, strict=False):
        if section is not program.layers[owner]:
            found.setdefault(id(program.layers[owner]), {})[id(section)] = section
    return {key: list(sections.values()) for key, sections in found.items()}


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
