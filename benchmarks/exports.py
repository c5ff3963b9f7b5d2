"""Which specs can be exported as what: every spec that extends no other, as `.py`, `.pt2` and `.onnx`.

    python benchmarks/exports.py [SPEC …]      about half a minute a spec

Each is compared with the spec's module as `archspec export` does it. Writes `benchmarks/results/exports.md`: the
largest difference, or what torch says.
"""

import sys
import tempfile
from pathlib import Path

from archspec.diagnostics import SpecError
from archspec.export.opened import Opened, opened
from archspec.export.program import TOLERANCE, Cannot, compared, examples, exported, inputs, refuse_unknown, written
from archspec.export.write import write_python
from archspec.syntax.load import shipped_specs

RESULTS = Path(__file__).parent / "results" / "exports.md"


def main(names: list[str]) -> None:
    """Export every spec and write the table."""
    rows = []
    for name in names or [name for name, path in shipped_specs().items() if "\nextends:" not in path.read_text()]:
        with tempfile.TemporaryDirectory() as folder:
            rows.append(row(name, Path(folder)))
        print(" | ".join(rows[-1]), flush=True)
    lines = ["| spec | `.py` | `.pt2` | `.onnx` |", "|---|---|---|---|", *(f"| {' | '.join(one)} |" for one in rows)]
    RESULTS.write_text("\n".join(lines) + "\n", encoding="utf-8")


def row(name: str, folder: Path) -> tuple[str, ...]:
    """The row of a spec."""
    found = opened(name, (), "best")
    write_python(found, folder / f"{name}.py")  # raises where it differs
    try:
        refuse_unknown(found)
        program = exported(found)
    except Cannot as error:
        return name, "yes", f"no: {error}".replace("|", "\\|"), ""
    except SpecError:
        return name, "yes", "once it is trained", "once it is trained"
    return name, "yes", tried(found, program, folder / "model.pt2"), tried(found, program, folder / "model.onnx")


def tried(found: Opened, program: object, path: Path) -> str:
    """Whether a form works."""
    try:
        worst, _ = compared(found, written(program, path, list(inputs(examples(found.module, found.facts)[-1]))))
    except Cannot as error:
        return f"no: {error}".replace("|", "\\|")
    return "yes" if worst <= TOLERANCE else f"no: differs by {worst:.0e}"


if __name__ == "__main__":
    main(sys.argv[1:])
