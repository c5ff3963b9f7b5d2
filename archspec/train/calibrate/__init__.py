"""Measuring a machine for `archspec cost`: every kind of work at several sizes, forward and back, in a minute or two.

The names of kernels and what variants mean are those of `archspec.cost.work`.
"""
