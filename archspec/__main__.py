"""`python -m archspec` is `archspec`."""

from archspec.commands.main import run

run()
