"""Structural encodings of a graph: random-walk powers, hops, distances, return probabilities, eigenvectors.

Nothing is here yet. reach(k), which emitted code needs as an index set, is `archspec.runtime.reach`.
"""
