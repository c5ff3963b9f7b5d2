"""Sweeps: one file of alternatives, a spec for each combination of them, and what their runs come to together."""
