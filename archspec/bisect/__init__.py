"""Bisection: of what a spec that fails to train changes of one that trains, the smallest set that breaks it."""
