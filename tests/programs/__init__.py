"""Random small specs in the language: typed expressions, so that every one of them must compile.

An expression is drawn for a place (per node, per graph, or per pair of a set) and axes. Functions stay tame, so that no
number grows past what float64 compares well; what divides by 0 has tests of its own.
"""
