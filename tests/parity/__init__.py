"""Layers written in the language against the same layers of other libraries, with copied weights."""
