"""Where values begin: numbers, parameters, the states as they are or were, and the raw data."""

import torch

from archspec.reference.call import Call, Value


def constant(call: Call) -> Value:
    """A number, the same for all graphs."""
    return [torch.tensor([float(call.node["value"])], dtype=torch.float64) for _ in call.graphs]  # type: ignore[arg-type]


def parameter(call: Call) -> Value:
    """A weight, the same for all graphs."""
    return [call.weights[""].unsqueeze(0) for _ in call.graphs]


def average(call: Call) -> Value:
    """A statistic of the training set, which comes with the weights."""
    return [call.weights["mean"].unsqueeze(0) for _ in call.graphs]


def state(call: Call) -> Value:
    """A state after the input (layer 0) or after block instance number `layer`; the latest if `layer` is None."""
    layer = call.node.get("layer")
    return call.history[-1 if layer is None else layer][call.node["name"]]  # type: ignore[call-overload]


def data(call: Call) -> Value:
    """Raw features: `x` and `pos` per node, `e` per edge; categories stay integers, of several columns one is read."""
    raw = [getattr(graph, str(call.node["name"])) for graph in call.graphs]
    if (column := call.node.get("column")) is not None:
        raw = [value[:, column] for value in raw]
    return [call.shaped(value.double() if value.is_floating_point() else value) for value in raw]
