"""`archspec diff` and git: files at revisions, and git showing differences through archspec, in a repository."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from archspec.commands.diff import command
from archspec.compare import driver, git
from archspec.compare.sources import read
from archspec.diagnostics import SpecError
from archspec.syntax.load import load_spec, shipped_specs

ROOT = Path(__file__).resolve().parent.parent
CHILD = "name: child\nextends: ../base.yaml\nmodel: {where: {inner: identity}}\n"


def run(*arguments: str) -> str:
    """What git prints."""
    return subprocess.run(["git", *arguments], capture_output=True, text=True, check=True, timeout=120).stdout


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with two commits: a base and a spec that extends it, then another base."""
    for name, value in {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "PYTHONPATH": str(ROOT)}.items():
        monkeypatch.setenv(name, value)
    for name in ("GIT_DIR", "GIT_PAGER_IN_USE", "GIT_EXTERNAL_DIFF"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    run("init", "-q")
    run("config", "user.name", "someone")
    run("config", "user.email", "someone@example.org")
    (tmp_path / "below").mkdir()
    gin = shipped_specs()["gin"].read_text()
    commit("first", {"base.yaml": gin, "below/child.yaml": CHILD, "other.yaml": "a: 1\n"})
    commit("second", {"base.yaml": gin.replace("(1 + eps)", "(1 + sigmoid(eps))"), "other.yaml": "a: 2\n"})
    return tmp_path


def commit(message: str, files: dict[str, str]) -> None:
    """A commit of files."""
    for name, text in files.items():
        Path(name).write_text(text)
    run("add", ".")
    run("commit", "-q", "-m", message)


def diff(*arguments: str) -> Result:
    """The command."""
    return CliRunner().invoke(command, arguments)


@pytest.mark.usefixtures("repository")
def test_files_at_revisions(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a spec extends is read at the revision too, wherever one stands."""
    assert "(1 + {+sigmoid(+}eps{+)+}) * x" in diff("git:HEAD~1:below/child.yaml", "git:HEAD:below/child.yaml").output
    assert read("git:HEAD~1:below/child.yaml").spec.text != load_spec("below/child.yaml").text
    assert read("git:HEAD:below/child.yaml").spec.text == load_spec("below/child.yaml").text
    monkeypatch.chdir("below")
    assert read("git:HEAD~1:./child.yaml").spec.text == read("git:HEAD~1:below/child.yaml").spec.text
    assert read("git:HEAD~1:../base.yaml").spec.name == "gin"


WRONG = {
    "git:HEAD~9:base.yaml": "E0045",
    "git:--all:base.yaml": "E0045",
    "git:HEAD:nothing.yaml": "E0001",
    "git:HEAD": "E0044",
    "git::base.yaml": "E0044",
    "git:HEAD:other.yaml": "E003",
}


@pytest.mark.usefixtures("repository")
@pytest.mark.parametrize("name", WRONG)
def test_what_is_no_file_at_a_revision(name: str) -> None:
    with pytest.raises(SpecError, match=WRONG[name]) as raised:
        read(name)
    assert "archspec-" not in str(raised.value)


def test_outside_of_a_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(SpecError, match="E0045"):
        read("git:HEAD:gin.yaml")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SpecError, match="git is not installed"):
        git.top()


def test_git_shows_differences_through_archspec(repository: Path) -> None:
    """Set up twice, on a spec, on a file that is none, on a broken spec; `log -p` takes the canonical text."""
    for _ in range(2):
        git.install(f"{sys.executable} -m archspec diff --git", ["*.yaml"])
    assert (repository / ".gitattributes").read_text() == "*.yaml diff=archspec\n"
    shown = run("diff", "HEAD~1", "HEAD")
    assert "~ h = (1 + {+sigmoid(+}eps{+)+}) * x + sum[j in N](x[j])" in shown
    assert "-a: 1\n+a: 2\n" in shown
    commit("broken", {"base.yaml": (repository / "base.yaml").read_text().replace("relu(", "relu((")})
    shown = run("diff", "HEAD~1", "HEAD")
    assert "# shown as text: base.yaml:16:" in shown
    assert "+      x = x + relu((between(mlp(h)))" in shown
    assert "+      x = x + relu((between(mlp(h)))" in run("show", "HEAD")


def test_textconv_is_the_canonical_text(tmp_path: Path) -> None:
    path = tmp_path / "one.yaml"
    path.write_text("model: {where: {layer: x = x+1}}\n")
    assert driver.driven([str(path)], never) == "model: {where: {layer: x = x + 1}}\n"
    for text in ("<<<<<<< ours\na: 1\n", "model: {where: {layer: x = (}}\n", "\x00"):
        path.write_text(text)
        assert driver.driven([str(path)], never) == text


def never(*anything: object) -> str:
    """What is not called."""
    raise AssertionError


def test_a_bug_does_not_stop_git(repository: Path) -> None:
    def broken(*anything: object) -> str:
        raise ZeroDivisionError("x")

    old, new = repository / "base.yaml", repository / "new.yaml"
    new.write_text(old.read_text().replace("relu", "tanh"))
    text = driver.driven(["base.yaml", str(old), "", "", str(new), "", ""], broken)
    assert "# shown as text: bug in archspec: ZeroDivisionError('x')" in text
    assert "+      x = x + tanh(between(mlp(h)))" in text
    assert "-name: gin" in driver.driven(["base.yaml", str(old), "", "", "/dev/null", "", ""], broken)


@pytest.mark.usefixtures("repository")
def test_other_words_are_refused() -> None:
    with pytest.raises(SpecError, match="E0044"):
        driver.driven([], never)
    assert "diff=archspec" in diff("--git", "--install", "models/*.yaml").output
    assert Path(".gitattributes").read_text() == "models/*.yaml diff=archspec\n"
