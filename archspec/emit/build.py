"""Emitted source to a module: the text is run once and registered, so that tracebacks show its lines."""

import hashlib
import linecache
import sys
from types import ModuleType

from torch import nn


def build_module(source: str, name: str) -> nn.Module:
    """An instance of the source's `Model`, its weights drawn from torch's generator."""
    model: nn.Module = loaded(source, name).Model()
    return model


def loaded(source: str, name: str) -> ModuleType:
    """The source as a Python module under a name made from its text; the same text is run once only.

    Its `Model` carries the text when it is pickled, so that another process can read it.
    """
    digest = hashlib.sha256(source.encode()).hexdigest()[:12]
    title = f"archspec_emitted_{digest}"
    if title not in sys.modules:
        filename = f"<archspec {name} {digest}>"
        linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
        module = ModuleType(title)
        module.__file__ = filename
        exec(compile(source, filename, "exec"), module.__dict__)
        module.Model.__reduce__ = lambda model: (blank, (source, name), model.__dict__)
        sys.modules[title] = module
    return sys.modules[title]


def blank(source: str, name: str) -> nn.Module:
    """An instance of the source's `Model` before its weights are made."""
    kind = loaded(source, name).Model
    model: nn.Module = kind.__new__(kind)
    return model
