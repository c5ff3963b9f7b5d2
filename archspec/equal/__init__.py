"""Compiled modules compared with the reference: weights by name, outputs and gradients in float64."""
