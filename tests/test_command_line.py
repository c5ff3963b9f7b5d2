"""The command line: exit codes, where errors go, and how quickly it answers."""

import json
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from archspec import __version__
from archspec.commands import fmt, main, new, options
from archspec.commands.main import BUG, COMMANDS, look_for_namesake, run
from archspec.diagnostics import SpecError
from archspec.syntax.json_schema import FILE, MODELINE, schema
from archspec.syntax.load import load_spec

ROOT = Path(__file__).parent.parent


def call(*arguments: str) -> int:
    """Run the console entry; the exit code."""
    with pytest.raises(SystemExit) as caught:
        run(arguments)
    return caught.value.code if isinstance(caught.value.code, int) else 0


def test_overview(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in ((), ("--help",)):
        assert call(*arguments) == 0
        out = capsys.readouterr().out
        assert all(f"  {name} " in out for name in COMMANDS)
    assert call("--version") == 0
    assert __version__ in capsys.readouterr().out


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_of_the_table_is_there(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(name, "--help") == 0
    out = capsys.readouterr().out
    assert "--format" in out
    assert f"archspec {name}" in out


WRONG = {
    ("tran",): "E0044 there is no command `tran` (write `archspec train`)",
    ("show",): "E0044 missing argument 'SPEC'",
    ("show", "gin", "--sett", "a=1"): "E0044 no such option '--sett' (write `--set`)",
    ("show", "gin", "--as", "spek"): "E0044 invalid value for '--as'",
    ("show", "gni"): "gni: E0001 there is no file `gni` (write `gin`)",
    ("show", "gin", "--set", "model.sizs.d=3"): "--set:1:7: E0030 unknown key `sizs` in `model` (write `sizes`)",
    ("fmt", "absent.yaml"): "absent.yaml: E0001",
}


@pytest.mark.parametrize("arguments", WRONG, ids=" ".join)
def test_mistakes_exit_1_with_one_message(arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert call("--format", "concise", *arguments) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(WRONG[arguments])
    assert err.count("\n") == 1


def test_format_may_follow_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("show", "gni", "--format", "json") == 1
    assert json.loads(capsys.readouterr().err)[0]["code"] == "E0001"
    assert call("show", "gni") == 1
    assert capsys.readouterr().err.startswith("error[E0001]: there is no file `gni`")


def command_that_raises(error: BaseException) -> click.Command:
    """A command with a fault."""

    @click.command("show")
    def command() -> None:
        raise error

    return command


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        (ZeroDivisionError("x"), 70, "bug in archspec: ZeroDivisionError: x"),
        (RecursionError(), 70, "bug in archspec"),
        (FileNotFoundError(2, "No such file", "inner"), 70, "bug in archspec"),
        (
            OSError(28, "No space left on device", "runs/a"),
            1,
            "error[E0005]: cannot use `runs/a`: no space left on device",
        ),
        (KeyboardInterrupt(), 130, ""),
        (click.UsageError("Not so."), 1, "error[E0044]: not so"),
        (SystemExit(3), 3, ""),
    ],
)
def test_faults(
    error: BaseException, code: int, text: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("archspec.commands.show.command", command_that_raises(error))
    assert call("show") == code
    err = capsys.readouterr().err
    assert text in err
    assert ("not a mistake in your spec" in err) == (code == BUG)


def test_the_namesake_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    look_for_namesake()
    assert capsys.readouterr().err == ""
    (tmp_path / "archspec" / "cpu").mkdir(parents=True)
    (tmp_path / "archspec" / "cpu" / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    look_for_namesake()
    assert "another package called `archspec`" in capsys.readouterr().err


def test_new(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(new.command, ["mine"])
    assert "archspec train mine.yaml" in result.output
    text = Path("mine.yaml").read_text()
    origin = Path(load_spec("gin").source.path).read_text()
    assert text == f"{MODELINE}\n{origin}".replace("name: gin\n", "name: mine\n")
    assert json.loads(Path(FILE).read_text()) == schema()
    assert load_spec("mine.yaml").name == "mine"
    with pytest.raises(SpecError, match="E0052"):
        CliRunner().invoke(new.command, ["mine.yaml"], catch_exceptions=False)
    with pytest.raises(SpecError, match="E0001 there is no folder"):
        CliRunner().invoke(new.command, ["absent/mine"], catch_exceptions=False)
    with pytest.raises(SpecError, match=r"E0001 there is no file `gni` \(write `gin`\)"):
        CliRunner().invoke(new.command, ["other", "--from", "gni"], catch_exceptions=False)
    assert sorted(os.listdir()) == [FILE, "mine.yaml"]


def test_the_schema_is_kept_and_named_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path(FILE).write_text("{}")
    for name, origin in (("first", "gin"), ("second", "first")):
        assert call("new", name, "--from", origin) == 0
    assert Path("second.yaml").read_text().count(MODELINE) == 1
    assert Path(FILE).read_text() == "{}"
    assert call("schema", "-o", FILE) == 0
    assert json.loads(Path(FILE).read_text()) == schema()
    assert call("schema", "-o", "absent/schema.json") == 1


@pytest.mark.parametrize("name", ["gin_inner_off", "position_gating"])
def test_new_is_whole(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    CliRunner().invoke(new.command, ["1: odd # name", "--from", name], catch_exceptions=False)
    text = Path("1: odd # name.yaml").read_text()
    copy, origin = load_spec("1: odd # name.yaml"), load_spec(name)
    assert "extends" not in text
    assert text.startswith("# ")
    assert copy.name == "1: odd # name"
    assert (copy.definitions, copy.stack, copy.settings.train) == (
        origin.definitions,
        origin.stack,
        origin.settings.train,
    )


def test_broken_pipe_is_quiet() -> None:
    shell = f"{sys.executable} -m archspec show gin | true"
    result = subprocess.run(shell, shell=True, cwd=ROOT, capture_output=True, text=True)
    assert result.stderr == ""


@pytest.mark.parametrize("start", [["-m", "archspec"], ["cli.py"]], ids=" ".join)
def test_ways_to_start(start: list[str]) -> None:
    result = subprocess.run([sys.executable, *start, "show", "gni"], cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 1
    assert result.stderr.startswith("error[E0001]")


HEAVY = """
import sys
from archspec.commands.main import run
try:
    run({arguments})
except SystemExit as left:
    assert not left.code, left.code
heavy = sorted({{"torch", "numpy", "torch_geometric", "lightning_fabric", "ruamel", "sympy"}} & set(sys.modules))
assert not heavy, heavy
"""


@pytest.mark.parametrize(
    "arguments", [["--help"], ["fmt", "--check", "specs"], ["show", "gin"], ["train", "--help"]], ids=" ".join
)
def test_textual_commands_need_no_torch(arguments: list[str]) -> None:
    code = HEAVY.format(arguments=arguments)
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr


def test_shared_options_are_the_same_everywhere() -> None:
    assert options.FORMATS == ("pretty", "concise", "json")
    assert isinstance(fmt.command, click.Command)
    assert main.main.name == "main"
