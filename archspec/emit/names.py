"""Names in emitted Python: what the text imports, and which name each state, value and class gets."""

import builtins
import keyword
import re
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from functools import cached_property

from archspec.ir.nodes import Node, Program

RUNTIME: Mapping[str, tuple[str, ...]] = {
    "archspec.runtime.aggregate": (
        *("fill", "gather_source", "gather_target", "restrict"),
        *(
            "segment_logsumexp",
            "segment_max",
            "segment_mean",
            "segment_min",
            "segment_softmax",
            "segment_std",
            "segment_sum",
            "transpose",
        ),
    ),
    "archspec.runtime.attention": ("attention_dense", "attention_gather", "attention_sdpa"),
    "archspec.runtime.averages": ("Average",),
    "archspec.runtime.batch": ("Batch", "as_batch"),
    "archspec.runtime.encodings": (
        *("node_laplacian_pe", "node_rwse", "pair_adjacency", "pair_distance", "pair_hops", "pair_walk"),
    ),
    "archspec.runtime.foreign": ("call_pyg", "call_python", "pyg", "python"),
    "archspec.runtime.norms": ("GraphNorm", "batch_norm", "graph_norm", "layer_norm", "rms_norm"),
    "archspec.runtime.pairs": ("chance", "subset", "with_self", "without_self"),
    "archspec.runtime.parameters": ("matching",),
    "archspec.runtime.products": (
        *("neighbour_sum_csr", "neighbour_sum_dense", "neighbour_sum_gather", "pair_product"),
        *("weighted_sum_csr", "weighted_sum_dense", "weighted_sum_gather"),
    ),
    "archspec.runtime.thirds": ("gather_cross", "pair_matmul_dense", "pair_matmul_gather", "triples"),
}
"""Where emitted code finds what it calls."""

OWN = (
    "self",
    "batch",
    "graphs",
    "shared",
    "Shared",
    "penalty",
    "layer",
    "torch",
    "nn",
    "F",
    "Tensor",
    "Model",
    "N",
    "N_and_i",
    "V",
    "members",
    "dtype",
    "device",
)

TAKEN = frozenset((*OWN, *(name for names in RUNTIME.values() for name in names), *keyword.kwlist, *dir(builtins)))
"""Names the emitted text uses itself, which no value and no class of a spec may hide."""


SETS = re.compile(
    r"({0})(_by_({0}))?".format(r"(?:N|V|(?:reach|expander)_\d+)(?:_(?:and_i|without_i|if|dropped|\d+))*")
)
"""The names of index sets."""


def fresh(wanted: str, taken: Callable[[str], bool]) -> str:
    """The name itself, with an underscore where the emitted text uses it, numbered where it is taken."""
    stem = f"{wanted}_" if wanted in TAKEN or SETS.fullmatch(wanted) else wanted
    name, count = stem, 1
    while taken(name) or name in TAKEN:
        count += 1
        name = f"{stem}_{count}"
    return name


def class_name(title: str, taken: Container[str]) -> str:
    """`PreNorm` for a block `pre_norm`."""
    joined = "".join(word[:1].upper() + word[1:] for word in title.split("_"))
    stem = joined if joined.isidentifier() and joined not in TAKEN else f"Block{joined}"
    name, count = stem, 1
    while name in taken:
        count += 1
        name = f"{stem}{count}"
    return name


@dataclass(frozen=True)
class Variables:
    """What the states of a program are called: `x`, and `x_after` for the list of what it was after every block."""

    program: Program

    @cached_property
    def of_states(self) -> Mapping[str, str]:
        """A variable for each state, its own name where Python allows it."""
        found: dict[str, str] = {}
        for name, _ in self.program.input.results:
            found[name] = fresh(name, {*found.values()}.__contains__)
        return found

    @cached_property
    def of_histories(self) -> Mapping[str, str]:
        """A variable for the list of each state that output or penalty read all of, in order of their first use."""
        found: dict[str, str] = {}
        ends = [self.program.output, *([self.program.penalty] if self.program.penalty else [])]
        for node in (found for section in ends for found in section.inputs):
            if node["layer"] is not None:
                name = str(node["name"])
                taken = {*self.of_states.values(), *(one for key, one in found.items() if key != name)}
                found[name] = fresh(f"{self.of_states[name]}_after", taken.__contains__)
        return found

    def argument(self, node: Node) -> str:
        """The argument of a method that a node of the operation `state` comes in as."""
        return (self.of_states if node["layer"] is None else self.of_histories)[str(node["name"])]

    def text(self, node: Node) -> str:
        """`x`, `x_after[3]`."""
        return self.argument(node) + ("" if node["layer"] is None else f"[{node['layer']}]")
