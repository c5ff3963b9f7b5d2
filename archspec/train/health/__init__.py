"""Is it learning, and if not, where in the equations does it go wrong: what is measured while a model trains."""
