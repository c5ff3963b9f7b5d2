"""The page of settings is that of the schema."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest
from pydantic import Field

from archspec.syntax.schema import DataSettings, Settings, TrainSettings

DOCS = Path(__file__).parent.parent / "docs"


@pytest.fixture(scope="module")
def settings() -> ModuleType:
    spec = importlib.util.spec_from_file_location("settings_page", DOCS / "settings.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_up_to_date(settings):
    assert settings.PAGE.read_text(encoding="utf-8") == settings.page(), "run `python docs/settings.py`"


def test_every_key_has_a_row_and_a_meaning(settings):
    for name, model in (("data", DataSettings), ("train", TrainSettings)):
        for key, field in model.model_fields.items():
            assert f"| `{name}.{key}` |" in settings.page()
            assert field.description


def test_a_new_key_would_show(settings):
    class More(Settings):
        rounds: int | None = Field(3, gt=0, description="how | often")

    assert list(settings.rows("train", More)) == [
        "| `train.rounds` | whole number above 0 or null | `3` | how \\| often |"
    ]


def test_ci_does_not_rewrite(settings, monkeypatch, tmp_path):
    monkeypatch.setattr(settings, "PAGE", tmp_path / "page.md")
    monkeypatch.setenv("CI", "1")
    with pytest.raises(SystemExit, match="not rewritten"):
        settings.main()
    assert not settings.PAGE.exists()
    monkeypatch.delenv("CI")
    settings.main()
    assert settings.PAGE.read_text(encoding="utf-8") == settings.page()


def test_the_script_needs_no_torch(settings):
    import subprocess

    code = f"import sys; sys.path.insert(0, {str(DOCS)!r}); import settings; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=DOCS.parent)
