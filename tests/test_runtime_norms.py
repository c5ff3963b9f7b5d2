"""Norms against their formulas, row by row; batches of one row and of none; malloc."""

import sys

import pytest
import torch
from torch import nn
from torch_geometric.nn import GraphNorm as PyGGraphNorm

from archspec import runtime as rt
from archspec.runtime import malloc
from tests.test_runtime import ODD, make

AXES = [(), (4,), (2, 3)]


def width(axes):
    return torch.Size(axes).numel()


def shaken(module):
    """The module in float64 with parameters that are not at their start."""
    for parameter in module.parameters():
        nn.init.normal_(parameter, 1.0, 0.3)
    return module.double()


def normed(x, dims):
    mean = x.mean(dims, keepdim=True)
    return (x - mean) / ((x - mean).square().mean(dims, keepdim=True) + 1e-5).sqrt()


def assert_same(ours, formula, x):
    x = x.requires_grad_()
    torch.testing.assert_close(ours(x), formula(x))
    cotangent = torch.randn_like(x)
    pairs = [torch.autograd.grad(function(x), x, cotangent)[0] for function in (ours, formula)]
    torch.testing.assert_close(*pairs)


@pytest.mark.parametrize("axes", AXES)
def test_batch_norm(axes):
    module = shaken(nn.BatchNorm1d(width(axes)))
    weight, bias = module.weight.view(axes), module.bias.view(axes)
    assert_same(
        lambda x: rt.batch_norm(x, module), lambda x: normed(x, 0) * weight + bias, torch.randn(7, *axes).double()
    )
    module.eval()
    mean, std = module.running_mean.view(axes), (module.running_var.view(axes) + 1e-5).sqrt()
    assert_same(
        lambda x: rt.batch_norm(x, module), lambda x: (x - mean) / std * weight + bias, torch.randn(1, *axes).double()
    )


@pytest.mark.parametrize("rows", [0, 1])
@pytest.mark.parametrize("axes", AXES)
def test_batch_norm_of_too_few_rows(rows, axes):
    module = shaken(nn.BatchNorm1d(width(axes)))
    before = {name: value.clone() for name, value in module.state_dict().items()}
    x = torch.randn(rows, *axes).double().requires_grad_()
    result = rt.batch_norm(x, module)
    result.sum().backward()
    torch.testing.assert_close(result, module.bias.view(1, *axes).expand(rows, *axes))
    assert torch.equal(x.grad, torch.zeros_like(x))
    assert torch.equal(module.bias.grad, torch.full_like(module.bias, rows))
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())
    assert rt.batch_norm(x, module.eval()).shape == x.shape


@pytest.mark.parametrize("axes", AXES)
def test_layer_norm(axes):
    module = shaken(nn.LayerNorm(width(axes)))
    dims = tuple(range(1, len(axes) + 1))
    weight, bias = module.weight.view(axes), module.bias.view(axes)

    def formula(x):
        return (normed(x, dims) if dims else x * 0) * weight + bias

    assert_same(lambda x: rt.layer_norm(x, module), formula, torch.randn(5, *axes).double())
    assert rt.layer_norm(torch.zeros(0, *axes).double(), module).shape == (0, *axes)


@pytest.mark.parametrize("axes", AXES)
def test_rms_norm(axes):
    module = shaken(nn.RMSNorm(width(axes)))
    dims = tuple(range(1, len(axes) + 1))
    eps = torch.finfo(torch.float64).eps

    def formula(x):
        return (
            x / ((x.square().mean(dims, keepdim=True) if dims else x.square()) + eps).sqrt() * module.weight.view(axes)
        )

    assert_same(lambda x: rt.rms_norm(x, module), formula, torch.randn(5, *axes).double())
    assert rt.rms_norm(torch.zeros(0, *axes).double(), module).shape == (0, *axes)


@pytest.mark.parametrize("axes", AXES)
def test_graph_norm_is_pygs(axes):
    ours, theirs = shaken(rt.GraphNorm(width(axes))), PyGGraphNorm(width(axes)).double()
    theirs.load_state_dict(ours.state_dict())
    for name in ("everything", "empty graphs", "no graphs"):
        batch = make(ODD[name])
        x = torch.randn(batch.nodes, *axes).double()

        def formula(x, batch=batch):
            return theirs(x.view(batch.nodes, width(axes)), batch.graph, batch.graphs).view(x.shape)

        assert_same(lambda x, batch=batch: rt.graph_norm(batch, x, ours), formula, x)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="mallopt is glibc's")
def test_malloc_is_tuned():
    assert malloc.tune()


def test_malloc_elsewhere_is_left_alone(monkeypatch):
    monkeypatch.setattr(malloc.sys, "platform", "darwin")
    assert not malloc.tune()
