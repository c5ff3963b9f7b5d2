"""A spec as one Python file: its emitted module, and below it what that calls, copied from archspec's runtime."""

import ast
import re
import sys
from collections.abc import Iterator, Mapping

from archspec import __version__
from archspec.export.collect import Collected, collect, text_of
from archspec.export.pieces import Module, Place

HEAD = '''"""{name}{about}

Written by archspec {version}; it needs {needs} alone. The spec's own equations stand above what computes them.

    python {file} --check                 compares this file with the spec's module as it was written
    from {module} import Graphs, load     in Python:
    model = load()                        with the weights of {weights}; `Model()` has new ones
    model(Graphs(x, edge_index))          or model(data) with PyG's Data or Batch
"""'''

USE = '''
WEIGHTS = pathlib.Path(__file__).with_suffix(".safetensors")
"""The weights beside this file."""


def load(path: pathlib.Path | str = WEIGHTS) -> Model:
    """The model with the weights of a file, in evaluation mode."""
    model = Model()
    load_into(model, path)
    return model
'''

END = """
if __name__ == "__main__":
    sys.exit(main(Model, WEIGHTS, sys.argv[1:]))
"""

OWN = "import pathlib\nimport sys\nfrom archspec.export.alone import load_into, main\n"


def single(code: str, name: str, about: str, stem: str) -> str:
    """The text of the file `{stem}.py` from emitted code. Nothing in it names archspec but its head."""
    emitted = Module("", f"{code}\n{USE}\n{END}".replace("import torch\n", f"import torch\n{OWN}", 1))
    if "import torch\n" not in code:
        emitted = Module("", f"{OWN}{code.partition(chr(10))[2]}\n{USE}\n{END}")
    found = collect(emitted, [(ALONE, name) for name in INTERFACE])
    names = given_names(found)
    body = "\n\n\n".join(sections(found, names))
    needs = "torch" if not (extra := others(code)) else f"torch and {' and '.join(extra)}"
    head = HEAD.format(
        name=name, about=f": {about}" if about else "", version=__version__, needs=needs, file=f"{stem}.py",
        module=stem, weights=f"{stem}.safetensors",
    ).replace("\\", "\\\\")  # fmt: skip
    lines = imports(found)
    return f"{head}\n\nfrom __future__ import annotations\n\n{lines}\n\n\n{body}\n\n\n{END.strip()}\n"


def others(code: str) -> list[str]:
    """Packages that modules named in the spec come from."""
    found = ["torch_geometric"] if re.search(r"\bpyg\(", code) else []
    return found + sorted({one.split(".")[0] for one in re.findall(r"\bpython\(\s*['\"]([\w.]+):", code)})


def sections(found: Collected, names: Mapping[Place, str]) -> Iterator[str]:
    """The architecture, how it is used, then what it calls, under headings."""
    own = [piece for piece in found.emitted.pieces if not isinstance(piece.node, ast.If)]
    for piece in own:
        yield text_of(piece, found, names)
    for one in found.modules():
        title = f"# {'-' * 118}\n# {summary(one)}"
        texts = [text_of(piece, found, names) for piece in one.pieces if piece in found.pieces]
        yield "\n\n\n".join([title, *texts])


def summary(one: Module) -> str:
    """The first sentence a module says of itself."""
    said = (ast.get_docstring(ast.parse(one.text)) or "").split("\n\n")[0].replace("\n", " ")
    return said if len(said) < 118 else f"{said[:114]} …"


def given_names(found: Collected) -> dict[Place, str]:
    """The name of every definition in the file: its own, or one with its module's where another has that."""
    given: dict[Place, str] = {}
    taken = {*found.outside, *INTERFACE}
    own = [piece for piece in found.pieces if piece.module is found.emitted]
    called = set(found.emitted.imports)
    others = sorted((piece for piece in found.pieces if piece.module is not found.emitted),
                    key=lambda piece: not called.intersection(piece.names))  # fmt: skip
    for piece in [*own, *others]:
        for name in piece.names:
            new, of = name, piece.module.name.rpartition(".")[2] or "block"
            while new in taken and (piece.module.name != ALONE or new not in INTERFACE):
                new = f"{of}_{new}" if name.islower() else f"{of.title()}{new}"
            given[piece.module.name, name] = new
            taken.add(new)
    return given


ALONE, INTERFACE = "archspec.export.alone", ("Graphs",)
"""Names that users of the file write, and where they are from."""


def imports(found: Collected) -> str:
    """The import lines, each module once: Python's own, then torch's."""
    whole = sorted({one.module for one in found.outside.values() if not one.name})
    parts: dict[str, set[str]] = {}
    for name, one in found.outside.items():
        if one.name:
            parts.setdefault(one.module, set()).add(one.name if one.name == name else f"{one.name} as {name}")
    lines = [f"import {one}" for one in whole]
    lines += [f"from {one} import {', '.join(sorted(names))}" for one, names in sorted(parts.items())]
    return "\n\n".join(filter(None, ("\n".join(line for line in lines if is_own(line)),
                                     "\n".join(line for line in lines if not is_own(line)))))  # fmt: skip


def is_own(line: str) -> bool:
    """Whether an import line is of Python's own library."""
    return line.split()[1].split(".")[0] in sys.stdlib_module_names
