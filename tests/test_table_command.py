"""`archspec table`: its forms, what it is called with, and the page."""

import csv
import io
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from archspec.commands.main import run as main
from archspec.sweep.table.formats import escaped
from archspec.syntax.load import load_spec
from tests.planted import BETTER, NOISY, A, grid, page, plant, shown

pytestmark = pytest.mark.usefixtures("without_collection")


def called(capsys, *arguments: str) -> tuple[object, str, str]:
    with pytest.raises(SystemExit) as end:
        main(arguments)
    return end.value.code, *capsys.readouterr()


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("table", "runs/planted", "--baseline", "bb"), "E0807", "write `b`"),
        (("table", "runs/plantd"), "E0808", "there is no such folder"),
        (("table", "runs/plantd"), "E0808", "the sweeps there are: runs/broken, runs/empty, runs/odd, runs/planted"),
        (("table", "sweep.yaml"), "E0808", "this is a file, not the folder of a sweep"),
        (("table", "runs"), "E0808", "the folder of a sweep has a `sweep.json`"),
        (("table", "runs/broken"), "E0615", "give the `archspec sweep` command again"),
        (("table", "runs/odd"), "E0809", "give the `archspec sweep` command again"),
        (("table", "runs/planted", "--score", "ac"), "E0810", "write `acc`"),
        (("table", "runs/empty"), "E0811", "`archspec sweep FILE` trains them"),
        (("table", "runs/planted", "-o", "no/such.md"), "E0652", "make it first"),
        (("table", "runs/planted", "--as", "htm"), "E0044", "write `html`"),
    ],
)
def test_mistakes_have_a_cure(tmp_path, monkeypatch, capsys, arguments, code, said):
    monkeypatch.chdir(tmp_path)
    plant(Path("runs/planted"), {"a": A, "b": BETTER}, baseline="a")
    plant(Path("runs/empty"), {"a": dict.fromkeys(A), "b": dict.fromkeys(A)}, baseline="a")
    for name, text in (("broken", '{"name": '), ("odd", '{"name": "odd", "seeds": [1], "cells": {"a": {}}}')):
        Path(f"runs/{name}").mkdir()
        Path(f"runs/{name}/sweep.json").write_text(text)
    Path("sweep.yaml").write_text("base: gin\n")
    status, out, err = called(capsys, *arguments)
    assert (status, out) == (1, "")
    assert f"error[{code}]" in err
    assert said in err


def test_a_form_by_the_ending_of_the_file(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    plant(Path("s"), {"a": A, "b": BETTER})
    begins = {"t.txt": "norm", "t.md": "## planted", "t.tex": "% sweep planted", "t.csv": "cell,norm,seed"}
    for name, begin in begins.items():
        assert called(capsys, "table", "s", "-o", name, "--baseline", "norm=a")[0] == 0
        assert Path(name).read_text().startswith(begin)
        assert name == "t.csv" or "named on the command line" in Path(name).read_text()


def test_csv_has_a_row_for_every_run(tmp_path):
    path = plant(tmp_path / "s", {"a": A, "b c": {**BETTER, 12: None}})
    rows = [*csv.DictReader(io.StringIO(shown(path, "csv")))]
    assert {(row["cell"], row["seed"]): row["test_acc"] for row in rows if row["state"] == "finished"} == {
        (cell, str(seed)): str(value) for cell, found in (("a", A), ("b c", BETTER)) for seed, value in found.items()
        if (cell, seed) != ("b c", 12)
    }  # fmt: skip


def test_markdown_has_a_table_for_each(tmp_path):
    path = plant(tmp_path / "s", {"a": A, "b|c": BETTER}, baseline="a", floor=0.5)
    text = shown(path, "markdown")
    tables = re.findall(r"(?:^\|.*\|\n)+", text, re.MULTILINE)
    assert len(tables) == 2
    for one in tables:
        assert len({len(re.split(r"(?<!\\)\|", row)) for row in one.splitlines()}) == 1
    assert r"| b\|c |" in text


def test_letters_for_latex():
    assert escaped("50 % of a_b & c^2 ± ‖α‖: -0.5 to +0.1, 1e-3 漢") == (
        r"50 \% of a\_b \& c\textasciicircum{}2 $\pm$ $\Vert$$\alpha$$\Vert$: $-$0.5 to +0.1, 1e-3 ?"
    )


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
def test_latex_compiles(tmp_path):
    path = plant(tmp_path / "s", grid(), axes="o_ne,two %,α", baseline="off,off,off", floor=0.5)
    (tmp_path / "table.tex").write_text(shown(path, "latex"))
    (tmp_path / "paper.tex").write_text(
        "\\documentclass{article}\n\\usepackage{booktabs}\n\\usepackage{graphicx}\n"
        "\\begin{document}\n\\input{table.tex}\n\\end{document}\n"
    )
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "paper.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout[-2000:]
    assert "Output written on paper.pdf" in done.stdout
    assert "Overfull \\hbox" not in done.stdout


def test_the_page_is_one_file_with_plots_and_differences(tmp_path):
    path = plant(tmp_path / "s", {"a": A, "b": BETTER, "<c>": NOISY}, baseline="a", floor=0.5, torch={"<c>": "2.12.0"})
    for cell, override in (("a", ()), ("b", ("model.sizes.d=16",))):
        (path / cell / "seed-41" / "spec.yaml").write_text(load_spec("gin", override).text)
    (path / "sweep.yaml").write_text("base: gin\n")
    text = page(path)
    assert not re.findall(r'(?:src|href)="(?!#)[^"]*"|@import|url\((?!#)', text)
    assert "&lt;c&gt;" in text
    assert "<c>" not in text
    pictures = re.findall(r'aria-label="([^"]*)"', text)
    assert len(pictures) == 5  # dots, differences and curves of one group; dots and curves of the other
    assert "floor 50.00" in pictures[0]
    assert "difference to the baseline" in pictures[1]
    assert "torch 2.12.0 and not 2.13.0" in text
    assert re.search(r"<summary>b: <code[^>]*>~ d: <del>110</del><ins>16</ins></code>", text)
    assert "better" in re.findall(r'<td class="word (\w+)">', text)
    assert len(re.findall(r"<tfoot>", text)) == 2


def test_no_torch_for_a_table_or_its_page(tmp_path):
    path = plant(tmp_path / "s", {"a": A, "b": BETTER}, baseline="a")
    (path / "a" / "seed-41" / "spec.yaml").write_text(load_spec("gin").text)
    code = (
        f"import sys\nfrom archspec.commands.main import run\ntry:\n    run(['table', {str(path)!r}, '-o', 'x.html'])\n"
    )
    code += "except SystemExit as end:\n    print(end.code, 'torch' in sys.modules, 'statsmodels' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["0", "False", "True"]
