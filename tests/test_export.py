"""What is exported works without archspec, computes what the spec's module computes, and says so where it does not."""

import ast
import importlib.util
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from types import ModuleType

import pytest
import torch
from click.testing import CliRunner, Result
from torch_geometric.data import Batch, Data

from archspec.commands.main import main
from archspec.diagnostics import SpecError
from archspec.export import write
from archspec.export.opened import opened
from archspec.export.program import Open, compared, plain_module
from archspec.export.single import single
from archspec.export.write import Differs, checked, write_python
from archspec.train import weights
from archspec.train.folder import RunFolder
from tests.checking import compiled

SAMPLE = ("gin", "pna", "cluster_attention_gauss", "exphormer", "grit", "colouring_pairs")
"""Specs that call different parts of the runtime; `benchmarks/exports.py` takes all."""


SHORT = dict.fromkeys(("gin", "exphormer", "grit"), ("model.stack=1 * layer",))
"""Where one layer shows as much."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All of the sample, written but not yet checked."""
    place = tmp_path_factory.mktemp("exported")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(write, "checked", lambda *_: "")
        for name in SAMPLE:
            write_python(opened(name, SHORT.get(name, ()), "best"), place / f"{name}.py")
    return place


ALL = """
import runpy, sys
for name in ("archspec", "safetensors", "torch_geometric", "lark", "yaml"): sys.modules[name] = None
for path in sys.argv[1:]:
    sys.argv = [path, "--check"]
    try:
        runpy.run_path(path, run_name="__main__")
    except SystemExit as end:
        print(path, end.code)
"""

PLANTED = {
    "an equation": ("gin", "(1 + self.eps)", "(2 + self.eps)"),
    "a gradient": ("gin", "return NeighbourSum.apply(grad, ctx.pairs.transpose), None", "return grad * 0, None"),
    "an index set": ("exphormer", "0xBF58476D1CE4E5B9", "0xBF58476D1CE4E5B7"),
}
"""Faults that the check has to find."""


def test_every_file_checks_itself_where_there_is_no_archspec(folder: Path, tmp_path: Path) -> None:
    good, bad = [str(folder / f"{name}.py") for name in SAMPLE], []
    for what, (name, old, new) in PLANTED.items():
        place = tmp_path / what
        shutil.copytree(folder, place)
        text = (place / f"{name}.py").read_text(encoding="utf-8")
        assert text.count(old) == 1
        (place / f"{name}.py").write_text(text.replace(old, new), encoding="utf-8")
        bad.append(str(place / f"{name}.py"))
    done = subprocess.run([sys.executable, "-c", ALL, *good, *bad], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    codes = dict(line.rsplit(" ", 1) for line in done.stdout.splitlines() if line.startswith("/"))
    assert codes == dict.fromkeys(good, "0") | dict.fromkeys(bad, "1")
    assert done.stdout.count("the same as the spec's module") == len(SAMPLE)
    assert done.stderr.count("differs from the spec's module") == len(PLANTED)


def test_a_file_that_differs_is_a_bug(tmp_path: Path) -> None:
    (tmp_path / "model.py").write_text("import archspec")
    with pytest.raises(Differs, match="archspec"):
        checked(tmp_path / "model.py", [])


def imported(path: Path) -> ModuleType:
    """The file as a module."""
    found = importlib.util.spec_from_file_location(path.stem, path)
    assert found is not None
    assert found.loader is not None
    sys.modules[path.stem] = module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", SAMPLE)
def test_everything_stands_in_a_file_once(folder: Path, name: str) -> None:
    text = (folder / f"{name}.py").read_text(encoding="utf-8")
    body = ast.parse(text).body
    defined = Counter(node.name for node in body if isinstance(node, ast.FunctionDef | ast.ClassDef))
    imported = Counter(ast.unparse(node) for node in body if isinstance(node, ast.Import | ast.ImportFrom))
    assert max(defined.values()) == max(imported.values()) == 1
    called = {node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)}
    named = {node.attr for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Attribute)}
    quoted = {one for one in defined if f'"{one}"' in text}
    assert set(defined) - called - named - quoted == {"load"}
    assert [line for line in text.splitlines() if "import" in line and "archspec" in line] == []


def test_only_what_is_needed_is_copied(folder: Path) -> None:
    text = (folder / "gin.py").read_text(encoding="utf-8")
    for absent in ("AllPairs", "expander_pairs", "BlockSum", "def reach", "layer_norm", "segment_max"):
        assert absent not in text


def test_a_definition_may_be_called_like_something_of_the_runtime(tmp_path: Path) -> None:
    where = "pairs: x = x + sum[j in V](x[j])\ngraphs: x = x + linear(x, d)\nflat: x = relu(x)\npath: x = -x"
    code = compiled(stack="pairs -> graphs -> flat -> path", where=where).code
    (tmp_path / "odd.py").write_text(single(code, "odd", "", "odd"), encoding="utf-8")
    made = imported(tmp_path / "odd.py")
    out = made.Model()(made.Graphs(torch.tensor([0, 1]), torch.tensor([[0], [1]])))
    assert out.shape == (2, 2)


def test_pyg_s_data_and_plain_tensors(folder: Path) -> None:
    module = imported(folder / "gin.py")
    model = module.load()
    one = Data(x=torch.tensor([0, 1, 2]), edge_index=torch.tensor([[0, 1, 2], [1, 0, 1]]))
    many = Batch.from_data_list([one, one])
    alone = model(module.Graphs(one.x, one.edge_index))
    torch.testing.assert_close(model(one), alone)
    torch.testing.assert_close(model(many), torch.cat([alone, alone]))
    torch.testing.assert_close(model(module.Graphs(many.x, many.edge_index, batch=many.batch)), model(many))


@pytest.mark.parametrize("name", [*SAMPLE, "egt", "graphormer", "gated_gcn_bonds"])
def test_the_plain_functions_give_what_the_runtime_s_give(name: str) -> None:
    found = opened(name, SHORT.get(name, ()), "best")
    for part in found.module.modules():
        if hasattr(part, "collecting"):
            part.mean.fill_(1.5)
    module = plain_module(found)
    worst, _ = compared(found, lambda given: Open(module, tuple(given))(*given.values()))
    assert worst < 1e-4


@pytest.mark.parametrize(("name", "ending"), [("gin", "pt2"), ("content_attention", "onnx")])
def test_programs_take_graphs_of_any_size(tmp_path: Path, name: str, ending: str) -> None:
    result = exported(name, "-o", f"{tmp_path}/model.{ending}", "--set", "model.stack=1 * layer")
    assert result.exit_code == 0
    assert "the same as the spec's module on graphs of 1 nodes, 7 nodes, " in result.output
    assert "inputs: x, edge_index, first" in result.output


def exported(*arguments: str) -> Result:
    """The command's result; the module is checked elsewhere."""
    return CliRunner().invoke(main, ["export", *arguments])


def test_a_run_is_exported_with_its_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(write, "checked", lambda *_: "checked")
    found = opened("gin", (), "best")
    run = RunFolder(tmp_path / "run")
    run.checkpoints.mkdir(parents=True)
    run.spec.write_text(found.spec.text, encoding="utf-8")
    kept = {name: torch.full_like(value, 2) for name, value in found.module.state_dict().items()}
    weights.save(run.weights("best"), kept, {"epoch": "3", "step": "0"})
    result = exported(str(run.path), "-o", str(tmp_path / "model.py"))
    assert "weights best of run, epoch 3" in result.output
    given, _ = weights.load(tmp_path / "model.safetensors")
    assert all(bool((value == 2).all()) for value in given.values())
    refused(exported(str(run.path), "-o", str(tmp_path / "other.py"), "--set", "model.sizes.d=4"), "E0044")


def refused(result: Result, code: str) -> None:
    """Whether a command ended with that problem."""
    assert isinstance(result.exception, SpecError)
    assert [one.code for one in result.exception.diagnostics] == [code]


def test_mistakes(tmp_path: Path) -> None:
    (tmp_path / "there.safetensors").touch()
    refused(exported("gin", "-o", f"{tmp_path}/model.txt"), "E0650")
    refused(exported("gin", "-o", f"{tmp_path}/my-model.py"), "E0650")
    refused(exported("gin", "-o", f"{tmp_path}/there.py"), "E0651")
    refused(exported("gin", "-o", f"{tmp_path}/nowhere/model.py"), "E0652")
    refused(exported("gim", "-o", f"{tmp_path}/model.py"), "E0001")
    refused(exported("gin", "-o", f"{tmp_path}/model.py", "--set", "data=null"), "E0609")
    refused(exported("pna", "-o", f"{tmp_path}/model.pt2"), "E0654")
    assert [path.name for path in tmp_path.iterdir()] == ["there.safetensors"]


def test_what_torch_cannot_trace_is_told_in_its_words(tmp_path: Path) -> None:
    result = exported("position_attention_unreachable", "-o", f"{tmp_path}/model.pt2")
    refused(result, "E0654")
    assert "data-dependent" in str(result.exception)
    assert list(tmp_path.iterdir()) == []


def test_without_onnx_the_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    from archspec.export.program import write_onnx

    with pytest.raises(SpecError, match="onnxruntime") as caught:
        write_onnx(None, tmp_path / "model.onnx", [])
    assert caught.value.diagnostics[0].help.endswith('"archspec-nn[onnx]"')
