"""The lines for `parameters:`: initial values at the end of the model's constructor, and which weights train when."""

from collections.abc import Iterator

from archspec.emit.expressions import number, text
from archspec.ir.nodes import Program
from archspec.ir.settings import Drawn, Setting, Values


def initial_lines(program: Program) -> Iterator[str]:
    """The end of `Model.__init__`: initial values in the order of the spec, then what is frozen."""
    for setting in program.settings:
        if setting.init is not None:
            yield heading(setting)
            yield f"    {filling(setting.init)}"
    if freezes(program):
        yield "self.freeze()"


def freezes(program: Program) -> bool:
    """Whether the spec says of any weight whether it trains."""
    return any(setting.frozen is not None for setting in program.settings)


def freeze_lines(program: Program) -> Iterator[str]:
    """The body of `Model.freeze`."""
    yield '"""Let train what trains in this epoch, counted from 1; the rest keeps its values."""'
    for setting in program.settings:
        if setting.frozen is not None:
            yield heading(setting)
            yield f"    parameter.requires_grad_({trains(setting.frozen)})"


def heading(setting: Setting) -> str:
    """The loop over the weights that a pattern stands for."""
    return f"for parameter in matching(self, {text(setting.pattern)}):"


def trains(frozen: bool | int) -> str:
    """Whether a weight trains, as Python."""
    return str(not frozen) if isinstance(frozen, bool) else f"epoch >= {frozen}"


def filling(init: Values | Drawn) -> str:
    """The call that gives a weight its values."""
    if isinstance(init, Drawn):
        options = "".join(f", {key}={text(value)}" for key, value in init.options)
        return f"nn.init.{init.name}(parameter{options})"
    if isinstance(init, tuple):
        return f"parameter.data.copy_(torch.tensor({values(init)}))"
    return f"nn.init.constant_(parameter, {number(init)})"


def values(init: Values) -> str:
    """Rows as Python lists."""
    return f"[{', '.join(map(values, init))}]" if isinstance(init, tuple) else number(init)
