"""A plan as the source of one nn.Module: a class per distinct section, and the model that runs them in order."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from archspec import __version__
from archspec.emit.method import arguments, method_lines
from archspec.emit.modules import constructor_lines
from archspec.ir.nodes import Section
from archspec.passes.schedule import Plan

RUNTIME: Mapping[str, tuple[str, ...]] = {
    "archspec.runtime.aggregate": (
        *("gather_source", "gather_target", "restrict"),
        *("segment_sum", "segment_mean", "segment_max", "segment_min", "segment_softmax"),
    ),
    "archspec.runtime.attention": ("attention_dense", "attention_gather", "attention_sdpa"),
    "archspec.runtime.batch": ("Batch", "as_batch"),
    "archspec.runtime.norms": ("GraphNorm", "batch_norm", "graph_norm", "layer_norm", "rms_norm"),
    "archspec.runtime.products": (
        *("neighbour_sum_csr", "neighbour_sum_dense", "neighbour_sum_gather", "pair_product"),
        *("weighted_sum_csr", "weighted_sum_dense", "weighted_sum_gather"),
    ),
}
"""Where emitted code finds what it calls."""

@dataclass(frozen=True)
class Part:
    """A section under its class name."""

    name: str
    section: Section


def source(plan: Plan) -> str:
    """The text of a Python module whose class `Model` is the architecture."""
    parts = list(named(plan))
    classes = [class_text(part, plan) for part in parts] + [model_text(plan, parts)]
    body = "\n\n\n".join(classes)
    head = f'"""{plan.program.name}, compiled by archspec {__version__}."""'
    return f"{head}\n\n{imports(body)}\n\n\n{body}\n"


def named(plan: Plan) -> Iterator[Part]:
    """Every distinct section with a class name of its own."""
    taken: dict[str, int] = {"Model": 1}
    seen: set[int] = set()
    for _, section in plan.program.sections():
        if id(section) in seen:
            continue
        seen.add(id(section))
        name = "".join(word[:1].upper() + word[1:] for word in section.title.split("_"))
        taken[name] = taken.get(name, 0) + 1
        yield Part(name if taken[name] == 1 else f"{name}{taken[name]}", section)


def imports(body: str) -> str:
    """Import lines for what the body uses."""
    lines = [*(["import torch"] if "torch." in body else []), "from torch import Tensor, nn"]
    if "F." in body:
        lines.append("from torch.nn import functional as F")
    lines.append("")
    for module, names in RUNTIME.items():
        if used := [name for name in names if f"{name}(" in body or name == "Batch"]:
            lines.append(f"from {module} import {', '.join(used)}")
    return "\n".join(lines)


def class_text(part: Part, plan: Plan) -> str:
    """One section as a module."""
    section = part.section
    made = list(constructor_lines(section))
    given = "".join(
        f", {name}: {'list[Tensor]' if name.endswith('_after') else 'Tensor'}" for name in arguments(section)
    )
    results = "Tensor" if len(section.results) == 1 else f"tuple[{', '.join(['Tensor'] * len(section.results))}]"
    lines = [f"class {part.name}(nn.Module):"]
    if made:
        lines += [
            "    def __init__(self) -> None:",
            "        super().__init__()",
            *(f"        {line}" for line in made),
            "",
        ]
    lines += [f"    def forward(self, batch: Batch{given}) -> {results}:"]
    return "\n".join([*lines, *(f"        {line}" for line in method_lines(section, plan))])


def model_text(plan: Plan, parts: Sequence[Part]) -> str:
    """The class `Model`."""
    name = {id(part.section): part.name for part in parts}
    program = plan.program
    lines = [
        "class Model(nn.Module):",
        "    def __init__(self) -> None:",
        "        super().__init__()",
        f"        self.input = {name[id(program.input)]}()",
        f"        self.layers = nn.ModuleList([{layer_list(program.layers, name)}])",
        f"        self.output = {name[id(program.output)]}()",
        "",
        "    def forward(self, graphs: object) -> Tensor:",
        "        batch = as_batch(graphs)",
        *(f"        {line}" for line in wiring(plan)),
    ]
    return "\n".join(lines)


def layer_list(layers: Sequence[Section], name: Mapping[int, str]) -> str:
    """`*(Layer() for _ in range(4)), Last()`."""
    runs = [(name[key], len(list(group))) for key, group in groupby(layers, key=id)]
    return ", ".join(f"{one}()" if count == 1 else f"*({one}() for _ in range({count}))" for one, count in runs)


def wiring(plan: Plan) -> Iterator[str]:
    """The calls of the parts in order; states of all layers are kept only where the output reads them."""
    program = plan.program
    kept = [argument for argument in arguments(program.output) if argument.endswith("_after")]
    yield f"{states(program.input)} = self.input(batch)"
    for name in kept:
        yield f"{name} = [{name.removesuffix('_after')}]"
    start = 0
    for _, group in groupby(program.layers, key=lambda section: (tuple(arguments(section)), states(section))):
        run = list(group)
        yield from loop(run[0], start, start + len(run), len(program.layers), kept)
        start += len(run)
    yield f"return self.output({', '.join(['batch', *arguments(program.output)])})"


def loop(section: Section, first: int, last: int, total: int, kept: Sequence[str]) -> Iterator[str]:
    """A run of layers that read and change the same states."""
    which = "self.layers" if (first, last) == (0, total) else f"self.layers[{first}:{last}]"
    yield f"for layer in {which}:"
    yield f"    {states(section)} = layer({', '.join(['batch', *arguments(section)])})"
    for name in kept:
        yield f"    {name}.append({name.removesuffix('_after')})"


def states(section: Section) -> str:
    """The names a section's results go by."""
    return ", ".join(name for name, _ in section.results)
