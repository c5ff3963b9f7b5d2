"""What is known of data sets without loading them: a table for some, what was measured for those read before.

Plans, parameter counts and printed sizes come from here, so they are the same on every machine. Nothing here imports
torch or numpy.
"""

from archspec.facts.defaults import with_defaults
from archspec.facts.known import known
from archspec.facts.table import TABLE, Facts

__all__ = ["TABLE", "Facts", "known", "with_defaults"]
