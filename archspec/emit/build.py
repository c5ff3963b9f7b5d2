"""Emitted source to a module: the text is run once and registered, so that tracebacks show its lines."""

import hashlib
import linecache
import sys
from types import ModuleType

from torch import nn


def build_module(source: str, name: str) -> nn.Module:
    """An instance of the source's `Model`, its weights drawn from torch's generator.

    The source becomes an importable module under a name made from its own text, so that instances can be pickled within
    the process, and the same text is run once only.
    """
    digest = hashlib.sha256(source.encode()).hexdigest()[:12]
    title = f"archspec_emitted_{digest}"
    if title not in sys.modules:
        filename = f"<archspec {name} {digest}>"
        linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
        module = ModuleType(title)
        module.__file__ = filename
        exec(compile(source, filename, "exec"), module.__dict__)
        sys.modules[title] = module
    return sys.modules[title].Model()
