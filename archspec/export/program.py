"""Writing a spec or a run as a program of torch.export or of ONNX, compared with the spec's module."""

import io
import logging
import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn

from archspec.diagnostics import Diagnostic, SpecError
from archspec.export.alone import Graphs
from archspec.export.examples import examples, unknown_averages
from archspec.export.opened import Opened
from archspec.export.write import Differs

TOLERANCE = 1e-4
"""The largest difference in float32 that is none, of a value v in units of 1 + |v|."""

Run = Callable[[dict[str, Tensor]], Tensor]


class Cannot(Exception):
    """torch says that it cannot make a program of the module."""


class Open(nn.Module):
    """The module on the tensors of graphs one after the other, each an input of the program."""

    def __init__(self, module: nn.Module, names: Sequence[str]):
        super().__init__()
        self.module, self.names = module, tuple(names)

    def forward(self, *tensors: Tensor) -> Tensor:
        """The model's output; its rows for edges or listed pairs come in the order of those."""
        given: dict[str, Any] = dict.fromkeys(("edge_attr", "pos", "edge_label_index"))
        graphs = type("Graphs", (), given | dict(zip(self.names, tensors, strict=True)))
        out: Tensor = self.module(graphs)
        return out


def plain_module(found: Opened) -> nn.Module:
    """The spec's module with the functions of `archspec.export.plain` in place of the runtime's; the same weights."""
    text = re.sub(
        r"^from archspec\.runtime\.\w+ import", "from archspec.export.plain import", found.built.code, flags=re.M
    )
    text = re.sub(r"\blen\((\w+)\)", r"\1.size", text)  # of sets of pairs
    made = ModuleType("archspec_exported")
    exec(compile(text, f"<archspec {found.spec.name} exported>", "exec"), made.__dict__)
    module: nn.Module = made.Model()
    module.load_state_dict(found.module.state_dict())
    return module.eval()


def inputs(graphs: Graphs) -> dict[str, Tensor]:
    """The tensors of graphs in the order of a program's inputs; `first` is the first node of every graph."""
    number = graphs.batch if graphs.batch is not None else torch.zeros(len(graphs.x), dtype=torch.int64)
    named = {"x": graphs.x, "edge_index": graphs.edge_index, "edge_attr": graphs.edge_attr, "pos": graphs.pos,
             "edge_label_index": graphs.edge_label_index}  # fmt: skip
    kept = {name: value for name, value in named.items() if value is not None}
    count = torch.bincount(number)
    first = count.cumsum(0) - count
    return {name: single(value) for name, value in (kept | {"first": first}).items()}


def single(value: Tensor) -> Tensor:
    """Numbers in float32."""
    return value.float() if value.is_floating_point() else value


AXIS = {"edge_index": 1, "edge_label_index": 1}
"""The axis whose size is open, where it is not the first."""


def exported(found: Opened) -> Any:
    """The module as a program of torch.export that takes any number of nodes, edges, graphs. Raises Cannot."""
    given = inputs(examples(found.module, found.facts)[-1])
    shapes = tuple({AXIS.get(name, 0): torch.export.Dim.DYNAMIC} for name in given)
    with torch.no_grad(), quiet():
        try:
            return torch.export.export(
                Open(plain_module(found), tuple(given)), tuple(given.values()), dynamic_shapes=(shapes,), strict=False
            )
        except Exception as error:
            raise Cannot(said(error)) from error


@contextmanager
def quiet() -> Iterator[None]:
    """Without what torch prints and logs beside its exception, pages of it."""
    aside = io.StringIO()
    with warnings.catch_warnings(), redirect_stdout(aside), redirect_stderr(aside):
        warnings.simplefilter("ignore")
        logging.disable(logging.CRITICAL)
        try:
            yield
        finally:
            logging.disable(logging.NOTSET)


def said(error: Exception) -> str:
    """The first line of torch's message that says something."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0] if lines else ''}".rstrip(". ")[:200]


def write_program(found: Opened, path: Path) -> str:
    """Write `.pt2` or `.onnx`; what was found when it was run. E0654 where torch cannot, E0655 without onnx.

    Raises Differs where it computes something else.
    """
    refuse_unknown(found)
    names = list(inputs(examples(found.module, found.facts)[-1]))
    try:
        worst, count = compared(found, written(exported(found), path, names))
    except Cannot as error:
        path.unlink(missing_ok=True)
        message = f"torch cannot make a program of {found.spec.name}: {error}"
        raise SpecError([Diagnostic("E0654", message, path=str(path), help="export a `.py`")]) from None
    if worst > TOLERANCE:
        raise Differs(f"{path} differs from the spec's module by {worst:.1e}")
    said = f"the same as the spec's module on {count}: outputs differ by at most {worst:.0e}"
    return f"{said}\ninputs: {', '.join(names)}"


def written(program: Any, path: Path, names: list[str]) -> Run:
    """Write a program in the form that the ending names; what runs the file. Raises Cannot, E0655."""
    return write_onnx(program, path, names) if path.suffix == ".onnx" else write_pt2(program, path)


def refuse_unknown(found: Opened) -> None:
    """E0654 for a model with averages that are not known before it is trained."""
    if name := next((name for name, _ in unknown_averages(found.module)), None):
        message = f"{found.spec.name} holds an average over its training set (`{name}`) that is not known yet"
        raise SpecError([Diagnostic("E0654", message, path=found.spec.source.path, help="train it, export the run")])


def write_pt2(program: Any, path: Path) -> Run:
    """Write a program of torch.export; what runs the file."""
    torch.export.save(program, path)
    loaded = torch.export.load(path).module()
    return lambda given: loaded(*given.values())


def write_onnx(program: Any, path: Path, names: list[str]) -> Run:
    """Write a program of ONNX; what runs the file in onnxruntime. Raises Cannot; E0655 without these packages."""
    try:
        import onnxruntime
        import onnxscript  # noqa: F401
    except ImportError as error:
        message = f"ONNX needs the package `{error.name}`"
        cure = 'python -m pip install "archspec-nn[onnx]"'
        raise SpecError([Diagnostic("E0655", message, path=str(path), help=cure)]) from error
    with quiet():
        try:
            torch.onnx.export(program, (), path, dynamo=True, input_names=names, verbose=False, external_data=False)
            session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        except Exception as error:
            raise Cannot(said(error)) from error
    slots = [one.name for one in session.get_inputs()]
    return lambda given: torch.from_numpy(
        session.run(None, {slot: value.numpy() for slot, value in zip(slots, given.values(), strict=True)})[0]
    )


def compared(found: Opened, run: Run) -> tuple[float, str]:
    """The largest difference from the spec's module over the examples, and what those were."""
    worst, batches = 0.0, examples(found.module, found.facts)
    for graphs in batches:
        with torch.no_grad():
            wanted = in_order(found.module.eval()(one_precision(graphs)), graphs, found.facts.level)
            given = run(inputs(graphs))
        if given.shape != wanted.shape:
            return float("inf"), ""
        worst = max(worst, float(((given - wanted).abs() / (1 + wanted.abs())).max()) if wanted.numel() else 0.0)
    sizes = ", ".join(f"{len(graphs.x)} nodes" for graphs in batches)
    return worst, f"graphs of {sizes}"


def one_precision(graphs: Graphs) -> Graphs:
    """Graphs with numbers in float32."""
    fields = {name: single(value) for name, value in vars(graphs).items() if value is not None}
    return Graphs(**fields)


def in_order(out: Tensor, graphs: Graphs, level: str) -> Tensor:
    """The module's rows for edges or listed pairs, which it sorts by target, in the order of the program's."""
    index = {"edge": graphs.edge_index, "pair": graphs.edge_label_index}.get(level)
    if index is None:
        return out
    order = torch.argsort(index[1], stable=True)
    return torch.empty_like(out).index_copy(0, order, out)
