"""Every stage of every spec that comes with archspec, as it is shown, and the emitted text of every primitive.

`pytest --update-golden` rewrites the files; look at what it changes.
"""

from pathlib import Path
from types import SimpleNamespace

import pytest

from archspec.commands.show import STAGES
from archspec.ir.ops import PRIMITIVES
from archspec.syntax.load import load_spec
from tests.checking import compiled
from tests.conftest import pytest_configure
from tests.golden.compare import check_golden

ROOT = Path(__file__).parents[1]
FOLDER = Path(__file__).parent / "golden"
SPECS = sorted(path.stem for path in (ROOT / "specs").glob("*.yaml"))


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("name", SPECS)
def test_stage(name: str, stage: str, request: pytest.FixtureRequest) -> None:
    text = STAGES[stage](load_spec(name), {})
    check_golden(FOLDER / name / f"{stage}.txt", text, request.config)


EXAMPLES = {
    "embed": "embed(t, d)",
    "dropout": "dropout(x, 0.1)",
    "maximum": "maximum(x, y)",
    "minimum": "minimum(x, y)",
    "concat": "concat(x, y)",
    "view": "view(x, heads, c)",
    "linear": "linear(x, heads, c)",
}
"""How primitives are called that take more than one value."""


def emitted(expression: str) -> str:
    """The line that computes an expression over x and y, which live on nodes and have the axis d, and its weights."""
    made = compiled(
        input="t = x\nx = encode(x, d)\ny = 2 * x",
        stack="layer",
        layer=f"h = {expression}\nx = x * linear(h, d) * linear(y, d) * linear(encode(t, d), d)",
    )
    block = made.code[made.code.index("class Layer") : made.code.index("class Output")]
    lines = [line.strip() for line in block.splitlines() if line.strip().startswith(("h = ", "self.h = "))]
    return f"{expression}\n" + "".join(f"    {line}\n" for line in lines)


def test_primitives(request: pytest.FixtureRequest) -> None:
    texts = [emitted(EXAMPLES.get(name, f"{name}(x)")) for name in PRIMITIVES]
    check_golden(FOLDER / "primitives.txt", "\n".join(texts), request.config)


def test_no_file_without_a_spec() -> None:
    assert sorted(path.name for path in FOLDER.iterdir() if path.is_dir() and path.name != "__pycache__") == SPECS


def test_files_are_not_rewritten_where_ci_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    config = SimpleNamespace(getoption=lambda name: name == "--update-golden")
    monkeypatch.delenv("CI", raising=False)
    pytest_configure(config)
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.UsageError, match="refused where CI is set"):
        pytest_configure(config)


def test_a_difference_fails_and_is_shown(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    path = tmp_path / "text.txt"
    path.write_text("one\ntwo\n")
    if request.config.getoption("--update-golden"):
        pytest.skip("files are being rewritten")
    check_golden(path, "one\ntwo\n", request.config)
    with pytest.raises(pytest.fail.Exception, match=r"-two\n\+three"):
        check_golden(path, "one\nthree\n", request.config)
