"""Specs that use much of the language and of the settings in few lines: what mistakes are put into."""

RICH = (
    """\
name: a
model:
  sizes: {d: 4, heads: 2, c: d / heads}
  input: |
    x = encode(x, d)
    e = encode(e, heads)
    g = vector(d, 0)
  stack: tied(2 * layer) -> last(2)
  output: linear(mean(layers(x)), out)
  penalty: 0.1 * mean[i in V](x[i] @ x[i])
  where:
    layer: |
      near = N if x[i] @ x[j] > 0
      q, k = linear(x, heads, c), linear(x, heads, c)
      a = softmax[j in near](q[i] @ k[j] / sqrt(c))
      x = x + f(x, h => tanh(h)) + linear(sum[j](a[i, j] * k[j]), d)
      e[i, j in N] = e[i, j] * 2
    last(n): |
      r[i, j in V] = linear(x)[i] - fill(e, 0)[i, j] @ linear(x, heads)[j]
      m[i, j in V] = sum[k in V](r[i, k] * r[k, j])
      x = x + mean[j](m[i, j] * x[j]) / n + g if depth > 1 and n > 1 else x
    f(x, t, w = scalar(0)): t(x) * w -> again
    again: shared(mlp)
parameters:
  "*.w": {init: 0.5, frozen: true}
  layers.*: {frozen: until epoch 3}
data: {name: pattern, batch_size: 32}
train: {epochs: 10, optimizer: {name: adam, lr: 1e-3}, schedule: {name: plateau, factor: 0.5, patience: 5}}
""",
    """\
name: b
model:
  sizes: {d: 4}
  input: x = linear(concat(x, pos, rwse(1..3), laplacian_pe(2)), d)
  stack: 2 * (a -> b)
  output: sum(each(layers(x), h => linear(h, out))) -> tanh
  where:
    a: x = pre_norm(x, gin) + embed(category(degree, 4), d)
    b: |
      v = mean[i in V](x[i])
      w = linear(hops(0..2), d)
      y = x if degree > average(degree) else conv(x)
      x = y + v + sum[j in drop(reach(2), 0.1)](w[i, j] * x[j] / (1 + distance[i, j]))
    conv: pyg("GCNConv", axes = d)
data: {name: zinc}
""",
)
