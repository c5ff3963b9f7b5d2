"""The language server, driven through the protocol: a process, spoken to over its standard input and output."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from archspec.commands.lsp import command
from archspec.diagnostics import SpecError
from archspec.editor.names import places
from archspec.editor.reading import read

ROOT = Path(__file__).resolve().parent.parent

SPEC = """\
name: mine
about: 😀 β is a Greek letter
model:
  sizes: {d: 8, heads: 2, c: d / heads}
  input: x = encode(x, d)
  stack: 2 * layer
  output: linear(x, out)
  where:
    # What a neighbour says.
    gate(h, norm = relu): |
      v = linear(h, d)
      norm(v)
    layer: |
      s = sum[j in N](x[j])  # 😀 s = s
      x = x + gate(s, norm = tanh) + mlp(s)
data: {name: pattern}
"""


class Client:
    """An editor."""

    def __init__(self, folder: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "archspec", "lsp"],
            **{"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL},
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        self.folder, self.number, self.version = folder, 0, 0
        self.told: dict[str, list[Any]] = {}
        self.ask("initialize", processId=None, rootUri=folder.as_uri(), capabilities={})
        self.tell("initialized")

    def send(self, message: dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self.process.stdin
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self.process.stdin.flush()

    def receive(self) -> Any:
        assert self.process.stdout
        length = 0
        while line := self.process.stdout.readline().strip():
            length = int(line.split(b":")[1]) if line.lower().startswith(b"content-length") else length
        message = json.loads(self.process.stdout.read(length))
        if message.get("method") == "textDocument/publishDiagnostics":
            self.told[message["params"]["uri"]] = message["params"]["diagnostics"]
        return message

    def tell(self, method: str, **parameters: Any) -> None:
        self.send({"method": method, "params": parameters})

    def ask(self, method: str, **parameters: Any) -> Any:
        self.number += 1
        self.send({"id": self.number, "method": method, "params": parameters})
        while (message := self.receive()).get("id") != self.number:
            pass
        return message["error"] if "error" in message else message["result"]

    def open(self, text: str, name: str = "mine.yaml") -> "Text":
        uri = (self.folder / name).as_uri()
        self.tell("textDocument/didOpen", textDocument={"uri": uri, "languageId": "yaml", "version": 0, "text": text})
        return Text(self, uri, text)

    def problems(self, uri: str) -> list[Any]:
        """What is told next of a text."""
        self.told.pop(uri, None)
        while uri not in self.told:
            self.receive()
        return self.told[uri]


class Text:
    """An open text; places in it are given by what stands there."""

    def __init__(self, client: Client, uri: str, text: str) -> None:
        self.client, self.uri, self.text, self.version = client, uri, text, 0

    def type(self, text: str) -> None:
        self.text, self.version = text, self.version + 1
        document = {"uri": self.uri, "version": self.version}
        self.client.tell("textDocument/didChange", textDocument=document, contentChanges=[{"text": text}])

    def position(self, offset: int) -> dict[str, int]:
        """In UTF-16 units, worked out here in another way than the server does."""
        before = self.text[:offset]
        start = before.rfind("\n") + 1
        return {"line": before.count("\n"), "character": len(before[start:].encode("utf-16-le")) // 2}

    def after(self, what: str, more: int = 0) -> dict[str, int]:
        return self.position(self.text.index(what) + more)

    def at(self, what: str, method: str, more: int = 0, **parameters: Any) -> Any:
        place = {"textDocument": {"uri": self.uri}, "position": self.after(what, more)}
        return self.client.ask(f"textDocument/{method}", **place, **parameters)

    def within(self, span: dict[str, Any]) -> str:
        """The text of a range."""
        lines = self.text.split("\n")
        first, last = span["start"], span["end"]
        assert first["line"] == last["line"]
        units = lines[first["line"]].encode("utf-16-le")
        return units[2 * first["character"] : 2 * last["character"]].decode("utf-16-le")

    def applied(self, edits: list[Any]) -> str:
        """The text with edits."""
        offsets = {json.dumps(self.position(at)): at for at in range(len(self.text) + 1)}
        for edit in sorted(edits, key=lambda one: -offsets[json.dumps(one["range"]["start"])]):
            start, end = (offsets[json.dumps(edit["range"][key])] for key in ("start", "end"))
            self.text = self.text[:start] + edit["newText"] + self.text[end:]
        return self.text


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    client = Client(tmp_path_factory.mktemp("editor"))
    yield client
    client.ask("shutdown")
    client.tell("exit")
    assert client.process.wait(10) == 0
    for pipe in (client.process.stdin, client.process.stdout):
        assert pipe
        pipe.close()


def test_problems_are_told_while_typing(client: Client) -> None:
    text = client.open(SPEC)
    assert client.problems(text.uri) == []
    for typed in (SPEC.replace("(x[j])", "(x[")[: SPEC.index("x = x +")], SPEC.replace("sum[j in N]", "sum[j in N")):
        text.type(typed)
    text.type(SPEC.replace("mlp(s)", "mpl(s)"))
    [problem] = client.problems(text.uri)
    assert problem["code"] == "E0201"
    assert text.within(problem["range"]) == "mpl"
    assert "write `mlp`" in problem["message"]
    text.type(SPEC)
    assert client.problems(text.uri) == []


@pytest.mark.parametrize("line", ["  where: {", "  where:\n\t- x", 'name: "', "model: [", "a: b: c", "x" * 5])
def test_half_typed_texts_are_survived(line: str, client: Client) -> None:
    text = client.open(f"{SPEC}{line}\n", "half.yaml")
    client.problems(text.uri)
    text.at("linear", "hover")
    text.type(SPEC)
    assert "linear(x, axes…" in text.at("linear", "hover")["contents"]["value"]


def test_positions_are_in_utf_16(client: Client) -> None:
    text = client.open(SPEC.replace("about: 😀 β", "about: '😀 β'; trian"), "wide.yaml")
    assert client.problems(text.uri) != []
    wide = SPEC.replace("{d: 8,", '{"😀": 1, d: 8,')
    text.type(wide)
    found = client.problems(text.uri)
    assert [text.within(one["range"]) for one in found] == ["😀"]
    flow = SPEC.replace("data: {name: pattern}", "data: {options: {😀: 1}, name: patern}")
    text.type(flow)
    assert [text.within(one["range"]) for one in client.problems(text.uri)] == ["patern"]


def test_lines_may_end_in_two_characters(client: Client) -> None:
    text = client.open(SPEC.replace("mlp(s)", "mpl(s)").replace("\n", "\r\n"), "crlf.yaml")
    [problem] = client.problems(text.uri)
    assert text.within(problem["range"]) == "mpl"
    [action] = actions(text, problem)
    assert text.applied(action["edit"]["changes"][text.uri]) == SPEC.replace("\n", "\r\n")


def test_unknown_data_hides_nothing(client: Client) -> None:
    text = client.open(SPEC.replace("mlp(s)", "mpl(s)").replace("pattern", "patern"), "both.yaml")
    assert [text.within(one["range"]) for one in client.problems(text.uri)] == ["mpl", "patern"]


def actions(text: Text, problem: Any) -> list[Any]:
    context = {"diagnostics": [problem]}
    place = {"textDocument": {"uri": text.uri}, "range": problem["range"], "context": context}
    return text.client.ask("textDocument/codeAction", **place)


@pytest.mark.parametrize(
    ("right", "wrong", "title"),
    [
        ("encode(x", "encod(x", "write `encode`"),
        ("sum[j in N]", "sum[j in M]", ""),
        ("  sizes:", "  sizs:", "write `sizes`"),
        ("name: pattern", "name: patern", "write `pattern`"),
        ("norm = tanh", "nrom = tanh", "write `norm`"),
    ],
)
def test_fixes_are_offered_where_they_cure(right: str, wrong: str, title: str, client: Client) -> None:
    text = client.open(SPEC.replace(right, wrong), "wrong.yaml")
    problem, *_ = client.problems(text.uri)
    found = actions(text, problem)
    assert [one["title"] for one in found] == ([title] if title else [])
    if found:
        assert text.applied(found[0]["edit"]["changes"][text.uri]) == SPEC


HOVERS = {
    "linear(x, out)": ("linear(x, axes…, bias = true)",),
    "x = x +": ("state `x`", "per node, axes (d)"),
    "s = sum": ("local `s`", "per node, axes (d)"),
    "gate(s": ("gate(h, norm = relu)", "What a neighbour says."),
    "mlp(s": ("mlp(h, norm = batch_norm)", "archspec/library/mlp.yaml"),
    "d: 8": ("size `d: 8` = 8",),
    "c: d": ("size `c: d / heads`",),
    "sum[j": ("reduces over j",),
    "stack": ("the blocks in order",),
    "pattern": ("`torch_geometric.datasets`",),
}


@pytest.mark.parametrize("what", HOVERS)
def test_names_are_told(what: str, client: Client) -> None:
    text = client.open(SPEC, "hover.yaml")
    shown = (
        text.at(what, "hover")["contents"]["value"]
        if what != "pattern"
        else text.at("name: pattern", "hover")["contents"]["value"]
    )
    for part in HOVERS[what]:
        assert part in shown


def test_types_outlast_a_problem(client: Client) -> None:
    text = client.open(SPEC, "lasting.yaml")
    text.at("s = sum", "hover")
    text.type(SPEC.replace("mlp(s)", "mpl(s)"))
    assert "per node, axes (d)" in text.at("s = sum", "hover")["contents"]["value"]


def test_a_name_leads_to_where_it_is_given(client: Client, tmp_path: Path) -> None:
    text = client.open(SPEC, "given.yaml")
    for what, given in (
        ("gate(s", "gate(h"),
        ("norm = tanh", "norm = relu"),
        ("d / heads", "d: 8"),
        ("s, norm", "s = sum"),
    ):
        found = text.at(what, "definition")
        assert found["uri"] == text.uri
        assert found["range"]["start"] == text.after(given)
    found = text.at("mlp(s", "definition")
    assert found["uri"].endswith("archspec/library/mlp.yaml")
    line = (ROOT / "archspec" / "library" / "mlp.yaml").read_text().split("\n")[found["range"]["start"]["line"]]
    assert line.startswith("mlp(")
    assert text.at("linear(x", "definition") is None


def test_what_another_file_gives(client: Client) -> None:
    (client.folder / "base.yaml").write_text(SPEC, encoding="utf-8")
    text = client.open("name: b\nextends: base.yaml\nmodel:\n  output: linear(gate(x), out)\n", "over.yaml")
    assert client.problems(text.uri) == []
    assert text.at("gate", "definition")["uri"] == (client.folder / "base.yaml").as_uri()
    assert "rename it there" in text.at("gate", "rename", newName="door")["message"]
    own = client.open("name: b\nextends: base.yaml\nmodel: {where: {'gate(h)': h}}\n", "own.yaml")
    assert "builds on" in own.at("gate", "rename", newName="door")["message"]
    text.type("name: b\nextends: bass.yaml\n")
    [problem] = client.problems(text.uri)
    assert text.within(problem["range"]) == "bass.yaml"


RENAMES = {
    "gate(h": ("gate", "door", 2),
    "norm = tanh": ("norm", "outer", 3),
    "h, norm": ("h", "z", 2),
    "v = ": ("v", "w", 2),
    "s = sum": ("s", "t", 3),
    "heads: 2": ("heads", "many", 2),
    "layer: |": ("layer", "block", 2),
    "x = x +": ("x", "y", 5),
}


@pytest.mark.parametrize("what", RENAMES)
def test_a_name_is_changed_everywhere_and_nothing_else(what: str, client: Client) -> None:
    old, new, many = RENAMES[what]
    text = client.open(SPEC, "rename.yaml")
    assert text.within(text.at(what, "prepareRename")) == old
    edits = text.at(what, "rename", newName=new)["changes"][text.uri]
    assert {text.within(one["range"]) for one in edits} == {old}
    assert len(edits) == many
    after = read(text.applied(edits), "rename.yaml")
    assert after.problems == ()
    assert old not in {place.span.text for place in places(after) if place.thing.name == new}


@pytest.mark.parametrize(
    ("what", "new", "why"),
    [
        ("d: 8", "heads", "then:"),
        ("d: 8", "width", "archspec/library/mlp.yaml"),
        ("gate(h", "relu", "E0202"),
        ("s = sum", "2s", "is no name"),
        ("linear(x", "line", "only sizes"),
        ("j in N", "k", "only sizes"),
    ],
)
def test_what_would_do_harm_is_refused(what: str, new: str, why: str, client: Client) -> None:
    assert why in client.open(SPEC, "refused.yaml").at(what, "rename", newName=new)["message"]


def test_a_pattern_that_names_the_weight_keeps_its_name(client: Client) -> None:
    text = client.open(f"{SPEC}parameters: {{layers.*.gate.*: {{frozen: true}}}}\n", "pattern.yaml")
    assert client.problems(text.uri) == []
    assert "layers.*.gate.*" in text.at("gate(h", "rename", newName="door")["message"]


def labels(found: list[Any]) -> list[str]:
    return [one["label"] for one in found]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("      x = x + ", {"mlp", "gate", "x", "d", "heads", "linear", "sum", "s", "N"}),
        ("train:\n  ", {"epochs", "optimizer", "schedule"}),
        ("train:\n  schedule:\n    name: cosine\n    ", {"warmup"}),
        ("train:\n  select: ", {"best", "last"}),
        ("data:\n  name: ", {"pattern", "zinc"}),
        ("extends: ", {"gin", "gps"}),
        ("", {"model", "data", "train", "extends"}),
    ],
)
def test_completions(line: str, expected: set[str], client: Client) -> None:
    base = SPEC if line.startswith("      ") else "name: mine\n"
    base = base[: base.index("      x = x +")] if line.startswith("      ") else base
    text = client.open(base + line, "complete.yaml")
    where = {"textDocument": {"uri": text.uri}, "position": text.position(len(text.text))}
    found = set(labels(client.ask("textDocument/completion", **where)))
    assert expected <= found, expected - found
    assert ("epochs" in found) == ("epochs" in expected)


def test_the_text_is_brought_into_canonical_form(client: Client) -> None:
    text = client.open(SPEC.replace("x + gate(s, norm = tanh)", "(x+gate(s,norm=tanh))"), "fmt.yaml")
    options = {"tabSize": 2, "insertSpaces": True}
    edits = client.ask("textDocument/formatting", textDocument={"uri": text.uri}, options=options)
    assert edits[0]["newText"] == SPEC
    text.type("name: [")
    assert client.ask("textDocument/formatting", textDocument={"uri": text.uri}, options=options) == []


def test_other_yaml_is_left_alone(client: Client) -> None:
    for text in ("services:\n  web: {image: a}\n", "- a\n- b\n", "", "a: [\n"):
        assert client.problems(client.open(text, "compose.yaml").uri) == []
    shared = client.open("f(x): x +\ng: 1\n", "shared.yaml")
    assert [one["code"] for one in client.problems(shared.uri)] == ["E0120"]


def test_a_missing_package_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pygls", None)
    monkeypatch.setitem(sys.modules, "pygls.exceptions", None)
    monkeypatch.delitem(sys.modules, "archspec.editor.server", raising=False)
    with pytest.raises(SpecError, match="E0048"):
        CliRunner().invoke(command, [], catch_exceptions=False)
