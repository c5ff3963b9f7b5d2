"""Specs as a whole: the shipped ones, their canonical text, the library."""

import re
import subprocess
import sys
import time
from dataclasses import fields
from pathlib import Path

import pytest
from hypothesis import given

import archspec.library
from archspec.pipeline import compile_spec
from archspec.syntax import tree
from archspec.syntax.library import Library, reached
from archspec.syntax.load import load_library, load_spec, parse_spec, shipped_specs
from archspec.syntax.printer import print_body
from archspec.syntax.schema import SpecSettings
from archspec.syntax.spec import Spec
from archspec.syntax.writer import write_spec
from tests.trees import bodies

SPECS = (
    "content_attention",
    "gin",
    "gin_between_off",
    "gin_inner_off",
    "gin_norms_off",
    "gin_norms_on",
    "gin_sigmoid_eps",
    "position_gating",
)


def says_the_same(one: Spec, other: Spec) -> bool:
    """Whether two specs are equal but for where they stand."""
    names = [field.name for field in fields(Spec) if field.name not in ("source", "places")]
    return all(getattr(one, name) == getattr(other, name) for name in names)


def test_shipped_specs() -> None:
    assert set(SPECS) <= set(shipped_specs())


@pytest.mark.parametrize("name", SPECS)
def test_canonical_text_reads_back(name: str, tmp_path: Path) -> None:
    spec = load_spec(name)
    (tmp_path / "spec.yaml").write_text(spec.text)
    assert says_the_same(load_spec(tmp_path / "spec.yaml"), spec)
    assert spec.name == name
    assert Path(spec.source.path).read_text().startswith("# ")


@given(bodies())
def test_any_body_survives_the_text(body: tree.Body) -> None:
    model = {"input": "x = 1", "stack": "a", "output": "x", "where": {"f": print_body(body)}}
    settings = SpecSettings.model_validate({"name": "n", "about": "a: b # c", "model": model})
    spec = parse_spec(write_spec(settings))
    assert spec.definitions["f"].body == body
    assert spec.settings.about == "a: b # c"
    assert parse_spec(spec.text).text == spec.text


@pytest.mark.parametrize("value", ["3", "1e-3", ".5", "true", "inf", "no", "null_", "-x", "- 3", "'a'", "0x1", "017"])
def test_odd_texts_survive(value: str) -> None:
    source = f"name: '{'017'}'\nmodel:\n  input: x = 1\n  stack: a\n  output: x\n  where:\n    f: |\n      {value}\n"
    if value == "0x1":
        source = source.replace("0x1", "0 * x1")
    spec = parse_spec(source)
    again = parse_spec(spec.text)
    assert says_the_same(again, spec)
    assert again.name == "017"


def test_names_stand_for_shipped_specs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert load_spec("gin").name == load_spec("specs/gin.yaml").name == "gin"
    Path("gin.yaml").write_text(load_spec("gin").text.replace("name: gin", "name: mine"))
    assert load_spec("gin").name == "mine"


def test_places_of_values() -> None:
    spec = load_spec("gin")
    place = spec.place("train", "optimizer", "lr")
    assert place is not None
    assert place.text == "2e-3"
    assert spec.place("train", "optimizer", "betas") == spec.place("train", "optimizer")
    assert spec.place("track") is None
    where = spec.place("model", "where", "mlp")
    assert where is not None
    assert where.text == "h -> linear(d) -> inner -> relu -> linear(d)"


def test_ablations_are_one_line() -> None:
    for name, off in {
        "gin_inner_off": {"inner"},
        "gin_between_off": {"between"},
        "gin_norms_off": {"inner", "between"},
        "gin_norms_on": set(),
    }.items():
        spec, whole = load_spec(name), load_spec("gin")
        changed = {one for one in whole.definitions if spec.definitions[one] != whole.definitions[one]}
        assert changed == off
        assert spec.settings.train == whole.settings.train


def test_library() -> None:
    library = load_library()
    assert {"mlp", "pre_norm", "post_norm", "attention"} <= set(library)
    assert all(name == definition.heading.name for name, definition in library.items())
    assert load_library() is library
    texts = [file.read_text(encoding="utf-8") for file in Path(archspec.library.__file__).parent.glob("*.yaml")]
    headings = re.findall(r"^(\w+)[(:]", "\n".join(texts), re.MULTILINE)
    assert sorted(headings) == sorted(library), "a definition stands in two files"


START = """
import sys
from archspec.syntax.load import load_spec, load_library
load_spec("gin"), load_library()
heavy = {"torch", "numpy", "ruamel", "rich"} & set(sys.modules)
assert not heavy, heavy
"""


def test_loading_is_quick_and_light() -> None:
    subprocess.run([sys.executable, "-c", START], check=True)
    load_spec("gin")  # builds the parser
    before = time.process_time()
    load_spec("gin")
    assert time.process_time() - before < 0.2


def test_a_definition_of_the_library_is_parsed_when_it_is_asked_for() -> None:
    library = Library(load_library().entries)
    assert library.parsed == {}
    assert "pre_norm" in library
    assert "nothing" not in library
    assert library.get("nothing") is None
    assert library["pre_norm"] is library["pre_norm"]
    assert set(library.parsed) == {"pre_norm"}


def test_only_what_a_spec_reaches_of_the_library_is_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    fresh = Library(load_library().entries)
    for module in ("archspec.pipeline", "archspec.syntax.library"):
        monkeypatch.setattr(f"{module}.load_library", lambda: fresh)
    compile_spec(load_spec("gps"))
    assert set(fresh.parsed) == {"attention", "ffn"}  # not `gin`, a default of its own `gps` that its layer replaces
    assert set(reached(load_spec("gps"))) == {"attention", "ffn", "gin", "mlp"}
