"""archspec: write a graph neural network as equations, train it, and diff it as text."""

__version__ = "0.1.0"
