"""Specs that come with archspec, as `show` and `diff` print them, and the emitted text of every primitive.

`pytest --update-golden` rewrites the files; look at what it changes.
"""

from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from archspec.commands.diff import command as diff
from archspec.commands.show import STAGES
from archspec.ir.ops import PRIMITIVES
from archspec.syntax.load import load_spec
from tests.checking import compiled
from tests.compiling import PARENTS, WHOLE
from tests.conftest import pytest_configure
from tests.golden.compare import check_golden

FOLDER = Path(__file__).parent / "golden"
ALL_STAGES = ("gin", "content_attention")
"""The specs that are shown at every stage; of others the program as it is checked, the emitted source, the weights."""


def stages(name: str) -> tuple[str, ...]:
    """The stages of a spec that are kept."""
    return tuple(STAGES) if name in ALL_STAGES else ("ir", "code", "params")


@pytest.mark.parametrize(("name", "stage"), [(name, stage) for name in WHOLE for stage in stages(name)])
def test_stage(name: str, stage: str, request: pytest.FixtureRequest) -> None:
    text = STAGES[stage](load_spec(name), {})
    check_golden(FOLDER / name / f"{stage}.txt", text, request.config)


DIFFS: Mapping[str, tuple[str, ...]] = {
    **{name: (parent, name) for name, parent in PARENTS.items()},
    "gin-gin_sigmoid_eps": ("gin", "gin_sigmoid_eps"),
    "gin-position_gating": ("gin", "position_gating"),
    "gating_norms-gating_norm_last-expanded": ("gating_norms", "gating_norm_last", "--level", "expanded"),
    "content_attention-position_attention": ("content_attention", "position_attention"),
    "position_attention-position_gating_hops": ("position_attention", "position_gating_hops"),
    "content_attention-edge_bias_transformer": ("content_attention", "edge_bias_transformer"),
    "gps-grit": ("gps", "grit"),
    "gcn-gat": ("gcn", "gat"),
}
"""Pairs of specs by the name of the file that keeps what `archspec diff` shows of them: every ablation beside the spec
it extends, and others."""


@pytest.mark.parametrize("name", DIFFS)
def test_what_differs(name: str, request: pytest.FixtureRequest) -> None:
    shown = CliRunner().invoke(diff, DIFFS[name], catch_exceptions=False)
    check_golden(FOLDER / "diff" / f"{name}.txt", shown.output, request.config)


EXAMPLES = {
    "category": "embed(category(degree, 3), d)",
    "embed": "embed(t, d)",
    "dropout": "dropout(x, 0.1)",
    "maximum": "maximum(x, y)",
    "minimum": "minimum(x, y)",
    "concat": "concat(x, y)",
    "fill": "sum[j in V](fill(x[j], 0.5))",
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
    kept = {path.relative_to(FOLDER).with_suffix("").as_posix() for path in FOLDER.glob("*/*.txt")}
    stages_kept = {f"{name}/{stage}" for name in WHOLE for stage in stages(name)}
    assert kept == stages_kept | {f"diff/{name}" for name in DIFFS}


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
