"""Functions of single entries, written out in plain arithmetic; truth values are 1.0 and 0.0.

Where exp would overflow, what it tends to stands in its place, infinities included.
"""

from collections.abc import Callable, Mapping
from math import sqrt

import torch
from torch import Tensor


def number(truth: Tensor) -> Tensor:
    """1.0 where true, 0.0 where false."""
    return truth.to(torch.float64)


def clip(x: Tensor, low: float, high: float) -> Tensor:
    """The value in [low, high] nearest to x; no gradient at the ends."""
    return torch.where(x <= low, low, torch.where(x >= high, high, x))


def sigmoid(x: Tensor) -> Tensor:
    """1 / (1 + exp(-x))."""
    return 1 / (1 + torch.exp(-clip(x, -700, 700)))


def softplus(x: Tensor, beta: float = 1.0) -> Tensor:
    """log(1 + exp(beta x)) / beta; x where the 1 counts for nothing."""
    return torch.where(beta * x > 40, x, torch.log(1 + torch.exp(clip(beta * x, -700, 40))) / beta)


def tanh(x: Tensor) -> Tensor:
    """(exp(x) - exp(-x)) / (exp(x) + exp(-x))."""
    x = clip(x, -300, 300)
    return (torch.exp(x) - torch.exp(-x)) / (torch.exp(x) + torch.exp(-x))


def relu(x: Tensor) -> Tensor:
    """max(x, 0)."""
    return torch.where(x > 0, x, 0.0)


def elu(x: Tensor, alpha: float) -> Tensor:
    """x where positive, else alpha (exp(x) - 1)."""
    return torch.where(x > 0, x, alpha * (torch.exp(clip(x, -700, 0)) - 1))


def selu(x: Tensor) -> Tensor:
    """elu with the two constants of Klambauer et al. (2017)."""
    return 1.0507009873554804934193349852946 * elu(x, 1.6732632423543772848170429916717)


def sign(x: Tensor) -> Tensor:
    """1, 0 or -1."""
    return number(x > 0) - number(x < 0)


def maximum(a: Tensor, b: Tensor) -> Tensor:
    """The larger one; equal ones share the gradient."""
    return torch.where(a > b, a, torch.where(a == b, (a + b) / 2, b))


def minimum(a: Tensor, b: Tensor) -> Tensor:
    """The smaller one; equal ones share the gradient."""
    return -maximum(-a, -b)


ELEMENTWISE: Mapping[str, Callable[..., Tensor]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": lambda a, b: a / b,
    "pow": lambda a, b: a**b,
    "neg": lambda a: -a,
    "lt": lambda a, b: number(a < b),
    "le": lambda a, b: number(a <= b),
    "gt": lambda a, b: number(a > b),
    "ge": lambda a, b: number(a >= b),
    "eq": lambda a, b: number(a == b),
    "ne": lambda a, b: number(a != b),
    "and": lambda a, b: a * b,
    "or": lambda a, b: number(a + b > 0),
    "not": lambda a: 1 - a,
    "where": lambda c, a, b: torch.where(c != 0, a, b),
    "relu": relu,
    "sigmoid": sigmoid,
    "tanh": tanh,
    "exp": lambda x: torch.exp(x),
    "log": lambda x: torch.log(x),
    "log1p": lambda x: torch.log(1 + x),
    "sqrt": lambda x: x**0.5,
    "rsqrt": lambda x: x**-0.5,
    "square": lambda x: x * x,
    "abs": lambda x: x * sign(x),
    "sign": sign,
    "sin": lambda x: torch.sin(x),
    "cos": lambda x: torch.cos(x),
    "erf": lambda x: torch.erf(x),
    "reciprocal": lambda x: 1 / x,
    "gelu": lambda x: x * (1 + torch.erf(x / sqrt(2))) / 2,
    "silu": lambda x: x * sigmoid(x),
    "mish": lambda x: x * tanh(softplus(x)),
    "elu": elu,
    "selu": selu,
    "leaky_relu": lambda x, negative_slope: torch.where(x > 0, x, negative_slope * x),
    "softplus": softplus,
    "softsign": lambda x: x / (1 + x * sign(x)),
    "logsigmoid": lambda x: -softplus(-x),
    "hardtanh": lambda x, min_val, max_val: clip(x, min_val, max_val),
    "relu6": lambda x: clip(x, 0.0, 6.0),
    "hardsigmoid": lambda x: clip(x + 3, 0.0, 6.0) / 6,
    "hardswish": lambda x: x * clip(x + 3, 0.0, 6.0) / 6,
    "maximum": maximum,
    "minimum": minimum,
    "detach": lambda x: x.detach(),
}
"""What each elementwise operation computes; options come as keywords."""
