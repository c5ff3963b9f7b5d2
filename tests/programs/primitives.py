"""Every elementwise primitive as a template: as it is called, with what keeps its argument where it is tame."""

from archspec.ir.ops import PRIMITIVES

TAMED = {
    "exp": ("exp(tanh({}))",),
    "log": ("log(2 + tanh({}))",),
    "log1p": ("log1p(sigmoid({}))",),
    "sqrt": ("sqrt(1.5 + tanh({}))",),
    "rsqrt": ("rsqrt(1.5 + sin({}))",),
    "reciprocal": ("reciprocal(2 + cos({}))",),
    "square": ("square(tanh({}))", "square({})"),
    "elu": ("elu({})", "elu({}, 0.5)"),
    "leaky_relu": ("leaky_relu({})", "leaky_relu({}, negative_slope = 0.2)"),
    "softplus": ("softplus({})", "softplus({}, 2)"),
    "hardtanh": ("hardtanh({})", "hardtanh({}, -0.5, 0.7)"),
    "hardsigmoid": ("hardsigmoid(detach({}))",),  # torch's own gradient has 1/6 in float32 only
    "detach": ("detach({})",) * 3,
    "dropout": (),
}
"""Those that are not called with any number alone; more than one way to write the others."""

UNARY = tuple(
    template
    for name, row in PRIMITIVES.items()
    if row.elementwise and [formal.kind for formal in row.arguments or ()].count("value") == 1
    for template in TAMED.get(name, (f"{name}({{}})",))
)
"""All functions of one value, new ones too."""

BINARY = (
    "({} + {})",
    "({} - {})",
    "({} * {})",
    "({} / (2 + tanh({})))",
    "maximum({}, {})",
    "minimum({}, {})",
    "(tanh({}) ** 2 * {})",
    "((1.5 + sigmoid({})) ** tanh({}))",
)
NORMS = ("batch_norm", "layer_norm", "rms_norm")
REDUCTIONS = ("sum", "mean", "max", "min", "std", "logsumexp")
COUNTS = ("degree", "minimum(degree, 2)")
STRUCTURE = ("hops(0..2)", "walk((0, 2))", "walk(1..2)", "adjacency", "minimum(distance, 3)", "1 / (1 + distance)")
"""What the graph alone gives for every pair of nodes."""
AVERAGES = ("average(log(1 + degree))", "average(adjacency)", "average(minimum(distance, 3))")
