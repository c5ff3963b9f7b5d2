"""What an exported file does besides computing: it takes plain tensors, reads weights, and checks itself.

`archspec export` copies this into the file, so it needs Python and torch alone.
"""

import copy
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn


@dataclass(eq=False)
class Graphs:
    """One graph, or several of which `batch` tells for every node which it is in, ascending.

    `x` holds a category [nodes] or several [nodes, columns] (int64), or numbers [nodes, features]; `edge_index` the
    sources and targets of edges, [2, edges], int64; `edge_attr` is like x, a row an edge; `pos` is [nodes, dimensions];
    `edge_label_index` [2, pairs] names the pairs a prediction is wanted for. PyG's `Data` and `Batch` have the same
    attributes and do as well.
    """

    x: Tensor
    edge_index: Tensor
    edge_attr: Tensor | None = None
    pos: Tensor | None = None
    batch: Tensor | None = None
    edge_label_index: Tensor | None = None


TYPES = {
    **{"F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16},
    **{"I64": torch.int64, "I32": torch.int32, "I16": torch.int16, "I8": torch.int8, "U8": torch.uint8},
    **{"BOOL": torch.bool},
}
"""The types of numbers by their names in safetensors."""


def read_tensors(path: Path | str) -> dict[str, Tensor]:
    """The tensors of a safetensors file, under all their names. OSError or ValueError where it cannot be read."""
    content = Path(path).read_bytes()
    start = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:start])
    shared: dict[str, str] = json.loads(header.pop("__metadata__", {}).get("shared", "{}"))
    found = {}
    for name, one in header.items():
        first, last = (start + offset for offset in one["data_offsets"])
        empty = torch.empty(one["shape"], dtype=TYPES[one["dtype"]])
        if first < last:
            values = torch.frombuffer(bytearray(content[first:last]), dtype=empty.dtype)
            found[name] = values.view(one["shape"])
        else:
            found[name] = empty
    return found | {name: found[first] for name, first in shared.items()}


def load_into(model: nn.Module, path: Path | str) -> nn.Module:
    """The model with the weights of a file, in evaluation mode."""
    model.load_state_dict(read_tensors(path))
    return model.eval()


Answers = dict[str, Tensor]
"""What a model gives for some graphs: `evaluation`, `training` and the norms of its `gradients`, in float64."""


def answers(model: nn.Module, graphs: object) -> Answers:
    """What a model gives for graphs; `training` is left out where chance has a part in it."""
    found: Answers = {}
    own = double(model).eval()
    out = own(graphs)
    found["evaluation"] = out.detach()
    if out.requires_grad:
        weights = [one for one in own.parameters() if one.requires_grad]
        ramp = torch.linspace(-1.0, 1.0, out.numel(), dtype=out.dtype).view(out.shape)  # the plain sum may be constant
        grads = torch.autograd.grad((out * ramp).sum(), weights, allow_unused=True)
        found["gradients"] = torch.stack([out.new_zeros(()) if one is None else one.norm() for one in grads])
    once, again = (trained(model, graphs, seed) for seed in (0, 1))
    if torch.equal(once, again):
        found["training"] = once
    return found


def trained(model: nn.Module, graphs: object, seed: int) -> Tensor:
    """What a model gives in training, its weights and statistics left alone."""
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(seed)
        return double(model).train()(graphs)


def double(model: nn.Module) -> nn.Module:
    """A copy in float64."""
    return copy.deepcopy(model).double()


def check(model: nn.Module, path: Path | str) -> float:
    """The largest difference from the answers in a file, of a value v in units of 1 + |v|; NaN beside NaN is none."""
    found = read_tensors(path)
    for name, values in found.items():  # what is known only after training stands there with values to compare with
        if name.startswith("weights/"):
            model.get_buffer(name.removeprefix("weights/")).copy_(values)
    worst = 0.0
    for number in sorted({name.split("/")[1] for name in found if name.startswith("graphs/")}):
        graphs = Graphs(**{name.split("/")[2]: value for name, value in found.items()
                           if name.startswith(f"graphs/{number}/")})  # fmt: skip
        given = answers(model, graphs)
        wanted = {name.split("/")[2]: value for name, value in found.items() if name.startswith(f"answers/{number}/")}
        if set(given) != set(wanted):
            return float("inf")
        worst = max([worst, *(difference(given[name], value) for name, value in wanted.items())])
    return worst


def difference(given: Tensor, wanted: Tensor) -> float:
    """The largest difference, in units of 1 + |wanted|; inf where shapes or what is not finite differ."""
    if given.shape != wanted.shape or not torch.equal(given.isfinite(), wanted.isfinite()):
        return float("inf")
    apart = ((given - wanted).abs() / (1 + wanted.abs())).nan_to_num(0.0)
    return float(apart.max()) if apart.numel() else 0.0


TOLERANCE = 1e-9
"""The largest difference in float64 that is none."""


def main(make: Callable[[], nn.Module], weights: Path, arguments: list[str]) -> int:
    """`--check`: whether this file computes what the spec's module computed when it was written. 0: yes, 1: no."""
    answered = weights.with_suffix(".check.safetensors")
    if arguments != ["--check"]:
        print(f"usage: python {Path(sys.argv[0]).name} --check", file=sys.stderr)
        return 1
    if missing := [one for one in (weights, answered) if not one.is_file()]:
        print(f"{missing[0]} is not there: it belongs beside this file", file=sys.stderr)
        return 1
    worst = check(load_into(make(), weights), answered)
    if worst > TOLERANCE:
        print(f"differs from the spec's module by {worst:.1e}", file=sys.stderr)
        return 1
    print(f"the same as the spec's module: outputs and gradients differ by at most {worst:.0e}")
    return 0
