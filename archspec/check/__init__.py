"""Tree to IR: names, expansion of definitions, domains and axes."""

from archspec import callable_module

callable_module(__name__)
