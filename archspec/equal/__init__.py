"""Compiled modules compared with the reference: weights by name, outputs and gradients in float64."""

from archspec import callable_module

callable_module(__name__)
