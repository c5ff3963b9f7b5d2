"""The page stands alone, says what the run recorded, and is made of any folder there is."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from markupsafe import Markup

from archspec.commands.main import main
from archspec.diagnostics import SpecError
from archspec.report import curves, health
from archspec.report.evidence import read
from archspec.report.page import page
from archspec.train.folder import RunFolder
from tests.folders import run_folder
from tests.test_runs import DAMAGE

VOID = ("meta", "br", "img", "link", "input", "hr")


class Page(HTMLParser):
    """What a test asks of a page; a tag that is closed wrongly raises."""

    def __init__(self, text: str):
        super().__init__()
        self.open: list[str] = []
        self.attributes: list[tuple[str, dict[str, str | None]]] = []
        self.levels: list[int] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes.append((tag, dict(attrs)))
        if re.fullmatch("h[1-6]", tag):
            self.levels.append(int(tag[1]))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def values(self, *names: str) -> list[str]:
        return [found[name] or "" for _, found in self.attributes for name in names if name in found]


def with_health(folder: RunFolder) -> RunFolder:
    """The same run with records of its health, and something that went wrong."""
    records = folder.records()
    for one in records:
        weight = {"gradient": 0.5 / one["epoch"], "gradient_max": 1.0}
        looks = {"weight": 3.0, "ratio": 0.1, "update": 1e-3} if one["epoch"] == 1 else {}
        one["health"] = {"looks": 1, "parameters": {"layers.0.mlp.linear.weight": weight | looks}, "values": {}}
    folder.metrics.write_text("".join(json.dumps(one) + "\n" for one in records), encoding="utf-8")
    place = {"definition": "mlp", "path": "gin.yaml", "line": 12, "text": "mlp(h): h -> linear(d)"}
    folder.places.write_text(json.dumps({"parameters": {"layers.0.mlp.linear.weight": place}, "values": {}}))
    where = {"epoch": 2, "step": 3, "name": "layers.0.mlp.linear.weight", "place": place}
    what = {"sign": "explosion", "value": 3.0, "threshold": 1.0, "message": "it <b>left</b> its band", "help": "clip"}
    folder.health.write_text(json.dumps({**where, **what}) + "\n", encoding="utf-8")
    return folder


@pytest.fixture
def blank(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures that are not drawn, which takes long and is tested elsewhere."""
    for module in (curves, health):
        monkeypatch.setattr(module, "svg", lambda *_: Markup("<svg></svg>"))


@pytest.fixture(scope="module")
def several(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A page on three runs, one of them with health, one of other data."""
    root = tmp_path_factory.mktemp("runs")
    with_health(run_folder(root / "gin-1"))
    run_folder(root / "off-1", spec="gin_inner_off")
    run_folder(root / "zinc-1", "data={name: zinc}", "model.output=mean[i in V](x[i]) -> linear(out)", reason=None)
    return page([root / "gin-1", root / "off-1", root / "zinc-1"])


def test_nothing_is_loaded_from_elsewhere(several: str) -> None:
    found = Page(several)
    for value in found.values("src", "href", "xlink:href", "action", "data", "style", "clip-path"):
        assert "//" not in value or value.startswith("data:"), value
    assert not {"script", "link", "iframe", "img", "object"} & {tag for tag, _ in found.attributes}
    assert "@import" not in several
    assert not re.findall(r"url\((?!#)", several)


def test_names_are_unique_and_references_lead_somewhere(several: str) -> None:
    found = Page(several)
    ids = found.values("id")
    assert len(ids) == len(set(ids))
    asked = [value[1:] for value in found.values("href", "xlink:href") if value.startswith("#")]
    asked += re.findall(r"url\(#([^)]*)\)", several) + found.values("aria-labelledby")
    assert asked
    assert set(asked) <= set(ids)


def test_the_page_can_be_read_without_seeing_it(several: str) -> None:
    found = Page(several)
    assert ("html", {"lang": "en"}) in found.attributes
    assert found.levels[0] == 1
    assert found.levels.count(1) == 1
    assert all(after - before <= 1 for before, after in zip(found.levels, found.levels[1:], strict=False))
    pictures = [one for tag, one in found.attributes if tag == "svg" and one.get("aria-hidden") != "true"]
    assert len(pictures) >= 10
    assert all(one["role"] == "img" and one["aria-label"] for one in pictures)
    assert all(one.get("scope") in ("row", "col") for tag, one in found.attributes if tag == "th" and one)


def test_this_check_of_pages_can_fail() -> None:
    with pytest.raises(AssertionError):
        Page("<p><b></p></b>")
    with pytest.raises(AssertionError):
        Page("<p>")


@pytest.mark.usefixtures("blank")
def test_it_says_what_the_runs_recorded(tmp_path: Path) -> None:
    folder = run_folder(tmp_path / "gin-1")
    result = folder.result()
    assert result
    text = page([folder.path])
    for entry in (result["best"], result["last"]):
        assert f"<td>{100 * entry['test']['acc']:.2f}</td>" in text
        assert f"<td>{entry['test']['loss']:.4g}</td>" in text
    for part in ("100,884", "archspec train", "<mo>∈</mo>", "4 × ", "finished: all epochs are done"):
        assert part in text
    assert "Gradient health" not in text
    assert "Runs together" not in text


def test_several_runs_are_compared_with_the_first(several: str) -> None:
    assert "Runs together" in several
    assert "<del>batch_norm</del><ins>identity</ins>" in several
    assert several.count(" → ") >= 2


def test_health_has_a_picture_a_table_and_what_went_wrong(several: str) -> None:
    for part in ("explosion", "epoch 2, step 3", "left&lt;/b&gt; its band", "gin.yaml:12", "0.5 → 0.17", "mlp: mlp(h)"):
        assert part in several


def test_the_picture_of_health_is_of_what_is_known_of_most_epochs(tmp_path: Path) -> None:
    found = health.picture(read(with_health(run_folder(tmp_path / "a")).path), 1)
    assert found
    assert found.caption.startswith("‖g‖ of 1 parameters over epochs, from 0.17 to 0.5")


def test_curves_have_a_point_for_every_epoch(tmp_path: Path) -> None:
    one = read(run_folder(tmp_path / "a", epochs=20).path)
    (score, *_) = curves.splits(one, "acc")
    assert score.points == [(record["epoch"], 100 * record["train"]["acc"]) for record in one.records]
    picture = curves.of_run(one, 1)[0].svg
    assert max(len(re.findall(r"[ML] ", path)) for path in re.findall(r'<path d="([^"]*)"', picture)) == 20
    assert curves.INK not in picture


@pytest.mark.usefixtures("blank")
def test_text_of_the_user_is_text(tmp_path: Path) -> None:
    text = page([run_folder(tmp_path / "a", "about=<script>alert(1)</script>", "name=<b>x</b>").path])
    assert "<script>" not in text
    assert "<b>x" not in text
    assert "&lt;script&gt;" in text


@pytest.mark.usefixtures("blank")
def test_a_run_without_epochs_has_a_page(tmp_path: Path) -> None:
    folder = run_folder(tmp_path / "a", epochs=0, reason=None)
    text = page([folder.path])
    assert "<h3>Equations</h3>" in text
    assert "<h3>Curves</h3>" not in text
    assert "archspec train --resume" in text


@pytest.mark.usefixtures("blank")
@pytest.mark.parametrize(("file", "text"), [(file, text) for file, texts in DAMAGE.items() for text in texts])
def test_a_damaged_folder_has_a_page_that_says_so(tmp_path: Path, file: str, text: str | None) -> None:
    folder = run_folder(tmp_path / "a")
    (folder.path / file).unlink()
    if text is not None:
        (folder.path / file).write_text(text)
    found = page([folder.path])
    Page(found)
    assert 'class="trouble"' in found


def archspec(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["report", *arguments], standalone_mode=False, obj={"format": "pretty"})


@pytest.mark.usefixtures("blank")
def test_the_command_writes_into_the_run_folder_again_and_again(tmp_path: Path) -> None:
    folder = run_folder(tmp_path / "a")
    for _ in range(2):
        done = archspec(str(folder.path))
        assert done.output == f"wrote {folder.path / 'report.html'}\n"
    Page((folder.path / "report.html").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("output", "code"), [("page.pdf", "E0650"), ("there.html", "E0651"), ("nowhere/page.html", "E0652")]
)
def test_where_it_cannot_be_written(tmp_path: Path, output: str, code: str) -> None:
    (tmp_path / "there.html").write_text("mine")
    problem = archspec(str(run_folder(tmp_path / "a").path), "-o", str(tmp_path / output)).exception
    assert isinstance(problem, SpecError)
    assert problem.diagnostics[0].code == code
    assert (tmp_path / "there.html").read_text() == "mine"
