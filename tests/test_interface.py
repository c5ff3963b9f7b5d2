"""The functions for notebooks: what they give says and shows what the commands do; importing archspec stays cheap."""

import doctest
import importlib
import json
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
import torch
from torch_geometric.data import Data

import archspec
from archspec.diagnostics import SpecError
from archspec.interface.functions import cost, diff, load
from archspec.interface.objects import Architecture
from archspec.pipeline import build as build_spec
from archspec.syntax.load import load_spec
from tests.test_start import HEAVY, environment

PAGE = Path(__file__).resolve().parent.parent / "docs" / "notebooks.md"


def test_the_page_says_what_is() -> None:
    found = doctest.DocTestParser().get_doctest(PAGE.read_text(encoding="utf-8").replace("```", ""), {}, "page", "", 0)
    assert len(found.examples) > 15
    runner = doctest.DocTestRunner(verbose=False)
    assert runner.run(found).failed == 0


def loaded_after(statement: str, folder: Path) -> set[str]:
    """What is imported once a statement has run in a fresh process."""
    code = f"import json, sys; import archspec; {statement}; print(json.dumps([*sys.modules]))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=environment(), capture_output=True, text=True, check=True
    )
    return set(json.loads(done.stdout))


def test_importing_archspec_is_cheap(tmp_path: Path) -> None:
    loaded = loaded_after("pass", tmp_path)
    assert {name for name in loaded if name.startswith("archspec")} == {"archspec"}
    assert loaded.isdisjoint({*HEAVY, "pydantic", "lark", "yaml"})


def test_texts_are_compared_without_torch(tmp_path: Path) -> None:
    statement = "a = archspec.load('gin'); archspec.diff(a, 'gin_inner_off')._repr_html_(); a._repr_html_()"
    assert loaded_after(statement, tmp_path).isdisjoint(HEAVY)
    assert "torch" in loaded_after("archspec.build('gin')", tmp_path)


@pytest.mark.parametrize("name", archspec.FUNCTIONS)
def test_functions_are_there_whatever_was_imported_before(name: str) -> None:
    for folder in ("check.checker", "cost.bill", "equal.specs"):
        importlib.import_module(f"archspec.{folder}")
    assert callable(getattr(archspec, name))
    assert name in dir(archspec)
    with pytest.raises(AttributeError, match="lode"):
        archspec.lode


def test_folders_that_are_called_do_what_the_functions_do() -> None:
    assert str(archspec.cost("gin")) == str(cost("gin"))  # type: ignore[operator]
    assert not archspec.check("name: x\n")  # type: ignore[operator]


def test_a_module_takes_a_graph() -> None:
    graph = Data(x=torch.tensor([0, 1]), edge_index=torch.tensor([[0], [1]]))
    torch.manual_seed(0)
    module = archspec.build("gin", "model.sizes.d=8")
    torch.manual_seed(0)
    same = build_spec(load_spec("gin", ["model.sizes.d=8"])).module
    assert torch.equal(module.eval()(graph), same.eval()(graph))


def elements(shown: str, tag: str) -> list[str]:
    """The texts of the elements of a kind in a fragment, which must be well-formed."""
    root = ET.fromstring(shown.replace(f"<style>{shown.split('<style>')[1].split('</style>')[0]}</style>", ""))
    return ["".join(one.itertext()) for one in root.iter() if one.tag.rpartition("}")[2] == tag]


@pytest.mark.parametrize("name", ["gin", "gps", "grit", "position_attention_unreachable", "gin_as_gating"])
def test_architectures_are_shown(name: str) -> None:
    one = load(name)
    shown = one._repr_html_()
    assert len(elements(shown, "math")) >= 3
    assert elements(shown, "dt")[-3 - len(one.spec.definitions) :][-1] in (*one.spec.definitions, "output", "penalty")
    assert f"{one.parameters:,}" in elements(shown, "td")
    assert elements(shown, "pre") == [one.text]
    assert len(elements(shown, "svg")) == 1


def test_what_sizes_need_data_is_left_out() -> None:
    one = load("name: x\nmodel:\n  input: x = encode(x, 4)\n  stack: layer\n  output: x\n  where: {layer: x = x}\n")
    assert repr(one) == "<Architecture x: sizes open without data>"
    assert elements(one._repr_html_(), "table") == []


def test_differences_are_shown() -> None:
    found = diff("gin", "gin_inner_off")
    assert found
    assert elements(found._repr_html_(), "del") == ["batch_norm"]
    assert elements(found._repr_html_(), "ins") == ["identity"]
    assert not diff("gin", load("gin"))
    assert "no architectural difference" in diff("gin", "gin")._repr_html_()


def test_costs_are_shown() -> None:
    found = cost("gin", by="operation")
    cells = elements(found._repr_html_(), "td")
    assert "100,884" in cells
    assert "linear" in cells
    assert any("·d" in cell for cell in cells)


def test_problems_are_shown_and_told() -> None:
    found = archspec.check("gin", "model.where.layer=x = x + relu(sum[j in N](x))")  # type: ignore[operator]
    assert not found
    assert "^ per node, axes (d)" in elements(found._repr_html_(), "pre")[0]
    with pytest.raises(SpecError) as caught:
        load("gni")
    assert caught.value._render_traceback_()[0] == "error[E0001]: there is no file `gni`"


def test_a_text_may_extend_and_is_told_where_it_is_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("base.yaml").write_text(load("gin").text, encoding="utf-8")
    one = load("name: mine\nextends: base.yaml\n", "model.sizes.d=16")
    assert isinstance(one, Architecture)
    assert one.weights["layers.1.mlp.linear.weight"] == (16, 16)
    assert load(one, "model.sizes.d=8").weights["layers.1.mlp.linear.weight"] == (8, 8)
    with pytest.raises(SpecError, match=r"<text>:2:10: E0001 there is no file `bass`"):
        load("name: mine\nextends: bass\n")
