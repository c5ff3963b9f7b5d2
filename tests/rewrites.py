"""What each pass rewrites, and what it leaves alone: the lines of a layer, and its operations after the pass."""

from collections.abc import Mapping

Rows = Mapping[tuple[str, ...], list[str]]

FOLD: Rows = {
    ("x = x * 1 + (x + 0) / 1",): ["x.2 = add(x, x)", "x ← x.2"],
    ("x = x - 0 + (x ** 1)",): ["x.2 = add(x, x)", "x ← x.2"],
    ("x = x * (sqrt(16) + relu(-1))",): ["x.2 = mul(x, 4.0)", "x ← x.2"],
    ("x = x * maximum(2, 3) * minimum(2, 3)",): ["%1 = mul(x, 3)", "x.2 = mul(%1, 2)", "x ← x.2"],
    # what must stay
    ("x = x * 0",): ["x.2 = mul(x, 0)", "x ← x.2"],
    ("x = 1 / x",): ["x.2 = div(1, x)", "x ← x.2"],
    ("x = 0 - x",): ["x.2 = sub(0, x)", "x ← x.2"],
    ("x = 1 ** x",): ["x.2 = pow(1, x)", "x ← x.2"],
    ("x = x * log(0)",): ["%1 = log(0)", "x.2 = mul(x, %1)", "x ← x.2"],
    ("x = x * sqrt(-1)",): ["%1 = sqrt(-1)", "x.2 = mul(x, %1)", "x ← x.2"],
    ("x = linear(scalar(1) * 1, d) + x",): [
        "scalar = parameter(init=1) {scalar}",
        "%1 = linear(scalar) {linear}",
        "x.2 = add(%1, x)",
        "x ← x.2",
    ],
}

SHARE: Rows = {
    ("x = relu(x) * relu(x)",): ["%1 = relu(x)", "x.2 = mul(%1, %1)", "x ← x.2"],
    ("x = (x + 1) * tanh(x + 1)",): ["%1 = add(x, 1)", "%2 = tanh(%1)", "x.2 = mul(%1, %2)", "x ← x.2"],
    ("x = sum[j in N](x[j]) + sum[j in N](x[j])",): [
        "%1 = gather_source(x, over=N)",
        "%2 = sum(%1, over=N)",
        "x.2 = add(%2, %2)",
        "x ← x.2",
    ],
    # what must stay
    ("x = x - x * 2 + 2 * x",): ["%1 = mul(x, 2)", "%2 = sub(x, %1)", "%3 = mul(2, x)", "x.2 = add(%2, %3)", "x ← x.2"],
    ("x = dropout(x, 0.5) * dropout(x, 0.5)",): [
        "%1 = dropout(x, p=0.5)",
        "%2 = dropout(x, p=0.5)",
        "x.2 = mul(%1, %2)",
        "x ← x.2",
    ],
    ("x = linear(x, d) * linear(x, d)",): [
        "%1 = linear(x) {linear}",
        "%2 = linear(x) {linear_2}",
        "x.2 = mul(%1, %2)",
        "x ← x.2",
    ],
    ("x = sum[j in N](x[j]) + sum[j in V](x[j])",): [
        "%1 = gather_source(x, over=N)",
        "%2 = sum(%1, over=N)",
        "%3 = gather_source(x, over=V)",
        "%4 = sum(%3, over=V)",
        "x.2 = add(%2, %4)",
        "x ← x.2",
    ],
    ("x = elu(x) + elu(x, 2)",): ["%1 = elu(x)", "%2 = elu(x, alpha=2)", "x.2 = add(%1, %2)", "x ← x.2"],
}

HOIST: Rows = {
    ("x = sum[j in N](relu(linear(x[j], d)))",): [
        "%1 = linear(x) {linear}",
        "%2 = relu(%1)",
        "%3 = gather_source(%2, over=N)",
        "x.2 = sum(%3, over=N)",
        "x ← x.2",
    ],
    ("x = sum[j in N](tanh(x[i] - 1) * x[i])",): [
        "%1 = sub(x, 1)",
        "%2 = tanh(%1)",
        "%3 = mul(%2, x)",
        "%4 = gather_target(%3, over=N)",
        "x.2 = sum(%4, over=N)",
        "x ← x.2",
    ],
    ("x = max[j in N](concat(x[j], scalar(1)) -> linear(d))",): [
        "scalar = parameter(init=1) {scalar}",
        "%1 = concat(x, scalar)",
        "%2 = linear(%1) {linear}",
        "%3 = gather_source(%2, over=N)",
        "x.2 = max(%3, over=N)",
        "x ← x.2",
    ],
    # what must stay: rows of one value beside rows of another, and statistics over the rows
    ("x = sum[j in N](tanh(x[i] * x[j]))",): [
        "%1 = gather_target(x, over=N)",
        "%2 = gather_source(x, over=N)",
        "%3 = mul(%1, %2)",
        "%4 = tanh(%3)",
        "x.2 = sum(%4, over=N)",
        "x ← x.2",
    ],
    ("g[i, j in N] = batch_norm(x[j])", "x = sum[j](g[i, j])"): [
        "%1 = gather_source(x, over=N)",
        "g = batch_norm(%1) {g}",
        "x.2 = sum(g, over=N)",
        "x ← x.2",
    ],
    ("g[i, j in N] = dropout(x[j], 0.5)", "x = sum[j](g[i, j])"): [
        "%1 = gather_source(x, over=N)",
        "g = dropout(%1, p=0.5)",
        "x.2 = sum(g, over=N)",
        "x ← x.2",
    ],
}

SPLIT: Rows = {
    ("x = sum[j in N](relu(linear(x[i] - x[j], c))) -> linear(d)",): [
        "%1 = linear_part(x, columns=(0, 8), inputs=8, bias=True, adds_bias=True) {linear}",
        "%2 = gather_target(%1, over=N)",
        "%3 = linear_part(x, columns=(0, 8), inputs=8, bias=True, adds_bias=False) {linear}",
        "%4 = gather_source(%3, over=N)",
        "%5 = sub(%2, %4)",
        "%6 = relu(%5)",
        "%7 = sum(%6, over=N)",
        "x.2 = linear(%7) {linear_2}",
        "x ← x.2",
    ],
    ("x = sum[j in N](linear(concat(x[i], 3, x[i] @ x[j], x[j]), d, bias = false))",): [
        "%1 = linear_part(x, columns=(10, 18), inputs=18, bias=False, adds_bias=False) {linear}",
        "%2 = gather_source(%1, over=N)",
        "%3 = linear_part(x, columns=(0, 8), inputs=18, bias=False, adds_bias=False) {linear}",
        "%4 = gather_target(%3, over=N)",
        "%5 = add(%2, %4)",
        "%6 = gather_target(x, over=N)",
        "%7 = gather_source(x, over=N)",
        "%8 = inner(%6, %7)",
        "%9 = concat(3, %8)",
        "%10 = linear_part(%9, columns=(8, 10), inputs=18, bias=False, adds_bias=False) {linear}",
        "%11 = add(%5, %10)",
        "x.2 = sum(%11, over=N)",
        "x ← x.2",
    ],
    # what must stay: terms with rows of their own, terms whose axes differ, what may be infinite elsewhere
    ("x = sum[j in N](linear(x[i] + x[j] + x[i] * x[j], d))",): [
        "%1 = gather_target(x, over=N)",
        "%2 = gather_source(x, over=N)",
        "%3 = add(%1, %2)",
        "%4 = gather_target(x, over=N)",
        "%5 = gather_source(x, over=N)",
        "%6 = mul(%4, %5)",
        "%7 = add(%3, %6)",
        "%8 = linear(%7) {linear}",
        "x.2 = sum(%8, over=N)",
        "x ← x.2",
    ],
    ("s = linear(x)", "x = sum[j in N](linear(x[i] + s[j], d))"): [
        "%1 = gather_target(x, over=N)",
        "s = linear(x) {s}",
        "%2 = gather_source(s, over=N)",
        "%3 = add(%1, %2)",
        "%4 = linear(%3) {linear}",
        "x.2 = sum(%4, over=N)",
        "x ← x.2",
    ],
    ("s = log(x)", "x = sum[j in N](linear(x[i] + s[j], d))"): [
        "%1 = gather_target(x, over=N)",
        "s = log(x)",
        "%2 = gather_source(s, over=N)",
        "%3 = add(%1, %2)",
        "%4 = linear(%3) {linear}",
        "x.2 = sum(%4, over=N)",
        "x ← x.2",
    ],
    ("x = linear(concat(x, x), d)",): ["%1 = concat(x, x)", "x.2 = linear(%1) {linear}", "x ← x.2"],
}

FACTOR: Rows = {
    ("x = sum[j in N](x[i] * x[j] * 2)",): [
        "%1 = gather_source(x, over=N)",
        "%2 = sum(%1, over=N)",
        "%3 = mul(x, %2)",
        "x.2 = mul(%3, 2)",
        "x ← x.2",
    ],
    ("x = mean[j in V](x[j] / 2)",): [
        "%1 = gather_source(x, over=V)",
        "%2 = mean(%1, over=V)",
        "x.2 = div(%2, 2)",
        "x ← x.2",
    ],
    ("x = sum[j in N](vector(d, 1) * x[j])",): [
        "vector = parameter(init=1) {vector}",
        "%1 = gather_source(x, over=N)",
        "%2 = sum(%1, over=N)",
        "x.2 = mul(vector, %2)",
        "x ← x.2",
    ],
    # what must stay: signs turn a maximum, what j is in cannot leave
    ("x = max[j in N](2 * x[j])",): [
        "%1 = gather_source(x, over=N)",
        "%2 = mul(2, %1)",
        "x.2 = max(%2, over=N)",
        "x ← x.2",
    ],
    ("x = sum[j in N](2 / x[j])",): [
        "%1 = gather_source(x, over=N)",
        "%2 = div(2, %1)",
        "x.2 = sum(%2, over=N)",
        "x ← x.2",
    ],
    ("x = sum[j in N](2 + x[j])",): [
        "%1 = gather_source(x, over=N)",
        "%2 = add(2, %1)",
        "x.2 = sum(%2, over=N)",
        "x ← x.2",
    ],
    ("x = sum[j in N](x[j] / linear(x)[i])",): [
        "%1 = gather_source(x, over=N)",
        "%2 = linear(x) {linear}",
        "%3 = gather_target(%2, over=N)",
        "%4 = div(%1, %3)",
        "x.2 = sum(%4, over=N)",
        "x ← x.2",
    ],
}

FUSE: Rows = {
    ("x = sum[j in reach(2)](x[j])",): ["x.2 = neighbour_sum(x, over=reach(2))", "x ← x.2"],
    ("s[i, j in N] = x[i] @ x[j]", "x = sum[j](x[j] * s[i, j])"): [
        "s = pair_product(x, x, over=N)",
        "x.2 = weighted_sum(s, x, over=N)",
        "x ← x.2",
    ],
    ("a = softmax[j in V](2 * (x[i] @ x[j]) / 4)", "x = sum[j](a[i, j] * x[j])"): [
        "x.2 = attention(x, x, x, over=V, scale=0.5)",
        "x ← x.2",
    ],
    ("b[i, j in N] = 1", "a = softmax[j](b[i, j] + x[j] @ x[i])", "x = sum[j](x[j] * a[i, j])"): [
        "b = spread(1, over=N)",
        "x.2 = attention(x, x, x, b, over=N, scale=1.0)",
        "x ← x.2",
    ],
    # what must stay: gates as wide as the values, a softmax that is used elsewhere too, products of x[i] with x[i]
    ("x = sum[j in N](sigmoid(x[i] + x[j]) * x[j])",): [
        "%1 = gather_target(x, over=N)",
        "%2 = gather_source(x, over=N)",
        "%3 = add(%1, %2)",
        "%4 = sigmoid(%3)",
        "%5 = gather_source(x, over=N)",
        "%6 = mul(%4, %5)",
        "x.2 = sum(%6, over=N)",
        "x ← x.2",
    ],
    ("a = softmax[j in V](x[i] @ x[j])", "x = sum[j](a[i, j] * x[j]) + sum[j](a[i, j])"): [
        "%1 = pair_product(x, x, over=V)",
        "a = softmax(%1, over=V)",
        "%2 = weighted_sum(a, x, over=V)",
        "%3 = sum(a, over=V)",
        "x.2 = add(%2, %3)",
        "x ← x.2",
    ],
    ("a = softmax[j in V](x[i] @ x[i])", "x = sum[j](a[i, j] * x[j])"): [
        "%1 = gather_target(x, over=V)",
        "%2 = gather_target(x, over=V)",
        "%3 = inner(%1, %2)",
        "a = softmax(%3, over=V)",
        "x.2 = weighted_sum(a, x, over=V)",
        "x ← x.2",
    ],
    ("x = max[j in N](x[j])",): ["%1 = gather_source(x, over=N)", "x.2 = max(%1, over=N)", "x ← x.2"],
    ("x = mean[j in N](x[j])",): [
        "%1 = neighbour_sum(x, over=N)",
        "%2 = spread(1, over=N)",
        "%3 = sum(%2, over=N)",
        "%4 = maximum(%3, 1)",
        "x.2 = div(%1, %4)",
        "x ← x.2",
    ],
    ("x = mean[j in N](tanh(x[i] + x[j]))",): [
        "%1 = gather_target(x, over=N)",
        "%2 = gather_source(x, over=N)",
        "%3 = add(%1, %2)",
        "%4 = tanh(%3)",
        "x.2 = mean(%4, over=N)",
        "x ← x.2",
    ],
}

GROUP: Rows = {
    ("a[i, j in N] = tanh(x[i] @ x[j])", "x = sum[j](a[i,j] * x[j] / sqrt(degree[i] + 1))"): [
        "%1 = gather_target(x, over=N)",
        "%2 = gather_source(x, over=N)",
        "%3 = inner(%1, %2)",
        "a = tanh(%3)",
        "%4 = spread(1, over=N)",
        "%5 = sum(%4, over=N)",
        "%6 = gather_target(%5, over=N)",
        "%7 = add(%6, 1)",
        "%8 = sqrt(%7)",
        "%9 = div(a, %8)",
        "%10 = gather_source(x, over=N)",
        "%11 = mul(%9, %10)",
        "x.2 = sum(%11, over=N)",
        "x ← x.2",
    ],
    ("x = mean[j in N](x[j] / (1 + x[i] @ x[j]))",): [
        "%1 = gather_target(x, over=N)",
        "%2 = gather_source(x, over=N)",
        "%3 = inner(%1, %2)",
        "%4 = add(1, %3)",
        "%5 = div(1, %4)",
        "%6 = gather_source(x, over=N)",
        "%7 = mul(%5, %6)",
        "x.2 = mean(%7, over=N)",
        "x ← x.2",
    ],
    # what must stay
    ("x = sum[j in N](tanh(x[i] + x[j]) * x[j])",): [
        "%1 = gather_target(x, over=N)",
        "%2 = gather_source(x, over=N)",
        "%3 = add(%1, %2)",
        "%4 = tanh(%3)",
        "%5 = gather_source(x, over=N)",
        "%6 = mul(%4, %5)",
        "x.2 = sum(%6, over=N)",
        "x ← x.2",
    ],
}

NARROWED: Rows = {
    ("x = x + sum[j in N](linear(hops(0..2), d)[i,j] * x[j])",): [
        "%1 = hops(numbers=(0, 1, 2), over=N)",
        "%2 = linear(%1) {linear}",
        "%3 = gather_source(x, over=N)",
        "%4 = mul(%2, %3)",
        "%5 = sum(%4, over=N)",
        "x.2 = add(x, %5)",
        "x ← x.2",
    ],
    ("a[i, j in V] = tanh(x[i] * x[j])", "x = sum[j in N](a[i,j])"): [
        "%1 = gather_target(x, over=N)",
        "%2 = gather_source(x, over=N)",
        "%3 = mul(%1, %2)",
        "a = tanh(%3)",
        "x.2 = sum(a, over=N)",
        "x ← x.2",
    ],
    ("a[i, j in V] = 2", "x = x + sum[j in N](a[i,j])"): [
        "a = spread(2, over=N)",
        "%1 = sum(a, over=N)",
        "x.2 = add(x, %1)",
        "x ← x.2",
    ],
    ("x = x + sum[j in reach(2)]((1 if distance > 2 else adjacency)[i,j] * x[j])",): [
        "%1 = distance(over=reach(2))",
        "%2 = gt(%1, 2)",
        "%3 = adjacency(over=reach(2))",
        "%4 = where(%2, 1, %3)",
        "%5 = gather_source(x, over=reach(2))",
        "%6 = mul(%4, %5)",
        "%7 = sum(%6, over=reach(2))",
        "x.2 = add(x, %7)",
        "x ← x.2",
    ],
    # what must stay
    ("a[i, j in V] = tanh(x[i] * x[j])", "x = sum[j in N](a[i,j]) + sum[j in V](a[i,j])"): [
        "%1 = gather_target(x, over=V)",
        "%2 = gather_source(x, over=V)",
        "%3 = mul(%1, %2)",
        "a = tanh(%3)",
        "%4 = restrict(a, over=N)",
        "%5 = sum(%4, over=N)",
        "%6 = sum(a, over=V)",
        "x.2 = add(%5, %6)",
        "x ← x.2",
    ],
    ("a = softmax[j in V](linear(x)[j])", "x = x + sum[j in N](a[i,j] * x[j])"): [
        "%1 = linear(x) {linear}",
        "%2 = gather_source(%1, over=V)",
        "a = softmax(%2, over=V)",
        "%3 = restrict(a, over=N)",
        "%4 = gather_source(x, over=N)",
        "%5 = mul(%3, %4)",
        "%6 = sum(%5, over=N)",
        "x.2 = add(x, %6)",
        "x ← x.2",
    ],
    ("a = batch_norm(linear(hops(0..2), d))", "x = x + sum[j in N](a[i,j] * x[j])"): [
        "%1 = hops(numbers=(0, 1, 2))",
        "%2 = linear(%1) {linear}",
        "a = batch_norm(%2) {a}",
        "%3 = restrict(a, over=N)",
        "%4 = gather_source(x, over=N)",
        "%5 = mul(%3, %4)",
        "%6 = sum(%5, over=N)",
        "x.2 = add(x, %6)",
        "x ← x.2",
    ],
}

ROWS: Mapping[str, Rows] = {
    "fold": FOLD,
    "share": SHARE,
    "hoist": HOIST,
    "split": SPLIT,
    "factor": FACTOR,
    "narrow": NARROWED,
    "group": GROUP,
    "fuse": FUSE,
}
"""By the name of the pass."""
