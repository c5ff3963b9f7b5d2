"""Several columns of categories in x and e: what they are to a spec, against the reference, and from a user's files."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from torch_geometric.data import Batch, Data

from archspec.commands.main import main
from archspec.diagnostics import SpecError
from archspec.emit.expressions import EXPRESSIONS, Site, Text
from archspec.equal.batch import packed
from archspec.equal.compare import compare
from archspec.facts import Facts
from archspec.facts.kept import read, write
from archspec.pipeline import compile_spec
from archspec.syntax.load import parse_spec
from archspec.syntax.spec import Spec
from tests.checking import spec_text
from tests.compiling import CATEGORIES, Case, of_spec
from tests.own import opened, problems, ring, save, three
from tests.own import write as write_tables

COLUMNS: Facts = replace(CATEGORIES, letters=(4, 3, 5), edge_letters=(2, 3))

SAME: Facts = replace(CATEGORIES, letters=(4, 4, 4), edge_letters=(3, 3))

INPUTS = {
    "encode": ("x = encode(x, d)", "e = encode(e, d)"),
    "columns of their own widths": (
        "x = linear(concat(each(x, one => embed(one, 3))), d)",
        "e = sum(each(e, one => embed(one, d)))",
    ),
    "columns by their names": (
        "atom, charge, degrees = x",
        "x = embed(atom, d) + embed(degrees, d)",
        "_, kind = e",
        "e = embed(kind, d)",
    ),
    "heads": ("x = view(encode(x, heads, c), d)", "e = encode(e, d)"),
}
LAYER = "x = x + relu(linear(sum[j in N](x[j] * e[i,j]), d))"


def spec(name: str) -> Spec:
    lines = "\n".join(INPUTS[name])
    return parse_spec(spec_text(input=f"\n{lines}\n", layer=f"\n{LAYER}\n", data=""))


def case(name: str, facts: Facts = COLUMNS) -> Case:
    return of_spec(spec(name), facts)


@pytest.mark.parametrize("name", INPUTS)
def test_columns_are_the_references(name: str) -> None:
    one = case(name)
    for graphs in ("everything", "no edges anywhere", "repeated edges"):
        found = compare(one.built.module, one.built.program, one.graphs(graphs), one.weights, training=True)
        assert found.ok(), f"{graphs}: {found}"


def test_another_column_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    def last(site: Site) -> Text:
        return Text(f"batch.{site.node['name']}[:, -1]")

    assert agree(case("encode", SAME))
    monkeypatch.setattr("archspec.emit.method.EXPRESSIONS", {**EXPRESSIONS, "data": last})
    assert not agree(case("encode", SAME))


def agree(one: Case) -> bool:
    return compare(one.built.module, one.built.program, one.graphs("everything"), one.weights, training=True).ok()


def test_every_column_has_weights_of_its_own_size() -> None:
    shapes = {name: list(one.shape) for name, one in case("encode").weights.items() if name.startswith("input")}
    assert shapes == {
        "input.encode.weight": [4, 8],
        "input.encode_2.weight": [3, 8],
        "input.encode_3.weight": [5, 8],
        "input.encode_4.weight": [2, 8],
        "input.encode_5.weight": [3, 8],
    }


def test_pyg_data_gives_columns_and_has_to_have_as_many() -> None:
    one = case("encode")
    graphs = one.graphs("everything")
    module = one.built.module.double().eval()
    module.load_state_dict(one.weights)
    data = [
        Data(
            x=graph.x,
            edge_index=torch.tensor([(j, i) for i, j in graph.edges], dtype=torch.int64).view(-1, 2).t(),
            edge_attr=graph.e,
        )
        for graph in graphs
    ]
    torch.testing.assert_close(module(Batch.from_data_list(data)), module(packed(graphs)))
    with pytest.raises(TypeError, match="or 3 categories a row"):
        module(Data(x=data[0].x[:, :2], edge_index=data[0].edge_index))


@pytest.mark.parametrize("name", INPUTS)
def test_without_a_data_set_there_may_be_columns(name: str) -> None:
    compile_spec(spec(name))


WRONG = {
    "x = linear(x, d)": "E0206 several columns of categories stand where a value is needed "
    r"\(make one value of them: `encode\(x, d\)`\)",
    "x = x": "E0206 several columns of categories",
    "x = encode(x, letters)": "E0405 x has 3 columns of categories, and `letters` is the size of one vocabulary",
    "a, b = x\nx = embed(a, d)": "E0212 2 names for 3 values",
    "x = f(x, d)": r"E0301 the columns of categories cannot share one embedding \(write `encode` without `shared`\)",
    "x = sum(x)": "E0306 categories stand where numbers are needed",
}


@pytest.mark.parametrize("text", WRONG)
def test_mistakes_are_told(text: str) -> None:
    with pytest.raises(SpecError, match=WRONG[text]) as caught:
        compile_spec(parse_spec(spec_text(input=f"\n{text}\n", where="f: shared(encode)", data="")), COLUMNS)
    assert caught.value.diagnostics[0].span is not None


def test_facts_are_kept(tmp_path: Path) -> None:
    write("x", COLUMNS, tmp_path)
    assert read("x", tmp_path) == COLUMNS


# The user's own data

MODEL = """\
name: mine
data: {name: ./mine}
model:
  sizes: {d: 4}
  input: |
    x = encode(x, d)
    e = encode(e, d)
  stack: layer
  output: linear(mean[i in V](x[i]), out)
  where:
    layer: x = relu(linear(x + sum[j in N](x[j] * e[i,j]), d))
train: {epochs: 2}
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ARCHSPEC_CACHE", str(tmp_path / "cache"))


def rings() -> list[Data]:
    """Directed rings with two columns of categories per node and three per edge."""
    graphs = list(map(ring, range(12)))
    for number, graph in enumerate(graphs):
        graph.x = torch.stack([graph.x, graph.x * 2 % 7], 1)
        first = torch.arange(graph.num_edges)
        graph.edge_attr = torch.stack([first % 2, (first + number) % 3, first % 1], 1)
    return graphs


def files() -> None:
    save("mine", **three(rings()))


def tables() -> None:
    nodes, edges, labels = ["graph,x_a,x_b"], ["graph,source,target,e1,e2,e3"], ["graph,y,split"]
    for number, graph in enumerate(rings()):
        nodes += [f"{number},{a},{b}" for a, b in graph.x.tolist()]
        rows = zip(graph.edge_index.T.tolist(), graph.edge_attr.tolist(), strict=True)
        edges += [f"{number},{i},{j},{','.join(map(str, row))}" for (i, j), row in rows]
        labels.append(f"{number},{graph.y.item()},{('train', 'val', 'test')[min(2, number // 5)]}")
    write_tables("mine", nodes=" ".join(nodes), edges=" ".join(edges), graphs=" ".join(labels))


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("form", [files, tables])
def test_from_files_to_a_trained_model(form: Callable[[], None]) -> None:
    form()
    facts = opened("./mine").facts
    assert (facts.letters, facts.features, facts.edge_letters) == ((4, 7), None, (2, 3, 1))
    Path("mine.yaml").write_text(MODEL)
    run = CliRunner()
    for command in (["check", "mine.yaml"], ["train", "mine.yaml", "--run-dir", "run"], ["evaluate", "run"]):
        result = run.invoke(main, command, catch_exceptions=False)
        assert result.exit_code == 0, result.output
    assert "the same as recorded, bit for bit" in result.output
    described = run.invoke(main, ["data", "./mine"], catch_exceptions=False).output
    assert "x, train: 2 columns of letters, of 4 and 7" in described
    assert "e, train: 3 columns of letters, of 2, 3 and 1" in described


@pytest.mark.usefixtures("here")
def test_categories_that_cannot_be_meant() -> None:
    graphs = rings()
    graphs[1].x[2, 1] = -3
    graphs[2].edge_attr[0, 0] = 5000
    save("mine", **three(graphs))
    found = problems("./mine")
    assert any("graph 1: row 2 of `x` is the category -3" in one for one in found)
    assert any("graph 2: row 0 of `edge_attr` is the category 5000, and there are only" in one for one in found)
