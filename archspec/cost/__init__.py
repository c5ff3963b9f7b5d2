"""What an architecture costs, from its IR."""

from archspec import callable_module

callable_module(__name__)
