"""Writes the measured parts of docs/architectures.md, from the root of the repository: `python -m tests.parity.page`.

A part stands between `<!-- measured: NAME -->` and `<!-- end -->`. The largest differences are those of the machine it
ran on; tests/parity/test_page.py checks everything else in them.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import torch

from tests.graphs import BATCHES, SHAPES
from tests.parity.layers import ROWS
from tests.parity.measure import compare, pair
from tests.test_published import ROWS as PUBLISHED
from tests.test_published import Row as Published
from tests.test_published import parameters

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "architectures.md"
PART = re.compile(r"(<!-- measured: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
BACKENDS = ("", "csr", "dense", "gather", "sdpa")


@dataclass(frozen=True)
class Architecture:
    """A row of the table: its spec, and the rows of parity that its layers have."""

    name: str
    spec: str
    rows: tuple[str, ...] = ()


ARCHITECTURES = (
    Architecture("GCN", "gcn", ("GCNConv",)),
    Architecture("GraphSAGE, mean", "graph_sage_mean", ("SAGEConv, mean",)),
    Architecture("GraphSAGE, maximum", "graph_sage", ("SAGEConv, max", "SAGEConv, projected max")),
    Architecture("GIN", "gin", ("GINConv",)),
    Architecture("GINE", "gine", ("GINEConv",)),
    Architecture("GAT", "gat", ("GATConv", "GATConv, edges")),
    Architecture("GATv2", "gatv2", ("GATv2Conv",)),
    Architecture("GatedGCN", "gated_gcn", ("ResGatedGraphConv", "GatedGCN, scattered")),
    Architecture("PNA", "pna", ("PNAConv",)),
    Architecture("APPNP", "appnp", ("APPNP",)),
    Architecture("GCNII", "gcnii", ("GCN2Conv",)),
    Architecture("EdgeConv", "edge_conv", ("EdgeConv",)),
    Architecture(
        "graph transformer",
        "graph_transformer",
        ("TransformerConv", "TransformerConv, beta", "TransformerConv, edges"),
    ),
    Architecture("jumping knowledge", "jumping_knowledge", ("GCNConv",)),
    Architecture("virtual node", "virtual_node", ("GINEConv",)),
    Architecture("Graphormer", "graphormer", ("MultiheadAttention of torch, bias",)),
    Architecture("GPS", "gps", ("GPSConv", "MultiheadAttention of torch")),
    Architecture("EGT", "egt", ("EGT, scattered",)),
    Architecture("GRIT", "grit", ("GRIT, scattered",)),
    Architecture("CKGConv", "ckgconv", ("CKGConv, scattered",)),
    Architecture("Exphormer", "exphormer", ("Exphormer, scattered",)),
)


@cache
def largest(row: str) -> float:
    """The largest relative difference of a layer, outputs and gradients, over all graphs, modes and forms."""
    worst = 0.0
    for backend in BACKENDS:
        torch.manual_seed(0)
        both = pair(ROWS[row], backend)
        for training in (True, False):
            found = [compare(both.train(training), [SHAPES[one] for one in shapes]) for shapes in BATCHES.values()]
            worst = max(worst, *(one.worst for one in found))
    return worst


def parity(measure: Callable[[str], float] = largest) -> str:
    """The table of architectures."""
    rows = [cells for one in ARCHITECTURES for cells in architecture(one, measure)]
    return table(("architecture", "lines of `model`", "definition", "partner", "largest difference"), *rows)


def architecture(one: Architecture, measure: Callable[[str], float]) -> list[tuple[str, ...]]:
    """The lines of an architecture, one for every partner."""
    first = (f"[{one.name}](../specs/{one.spec}.yaml)", str(lines(one.spec)))
    if not one.rows:
        return [(*first, "", "the reference evaluator alone", "")]
    heads = [first, *[("", "")] * (len(one.rows) - 1)]
    return [
        (*head, f"`{ROWS[row].call}`", partner(row), f"{measure(row):.0e}")
        for head, row in zip(heads, one.rows, strict=True)
    ]


def partner(row: str) -> str:
    """A row's name, or where the partner stands."""
    return f"[{row}](../tests/parity/scattered.py)" if row.endswith("scattered") else row


def lines(spec: str) -> int:
    """Lines of a spec's equations, remarks left out."""
    text = (ROOT / "specs" / f"{spec}.yaml").read_text(encoding="utf-8")
    [model] = re.findall(r"^model:.*\n(?:(?: .*)?\n)*", text + "\n", re.MULTILINE)
    return sum(bool(line.strip()) and not line.strip().startswith("#") for line in model.splitlines())


def counts() -> str:
    """The table of published numbers of parameters."""
    return table(("spec", "data set", "layers", "width", "published", "archspec"), *map(counted, PUBLISHED))


def counted(row: Published) -> tuple[str, ...]:
    """A line of it."""
    own = parameters(row)
    return f"`{row.spec}`", row.data, str(row.layers), str(row.width), f"{row.published:,}", f"{own:,}"


def table(*rows: tuple[str, ...]) -> str:
    """A Markdown table; the first row is its head."""
    text = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([text[0], "|" + "---|" * len(rows[0]), *text[1:]])


PARTS: Mapping[str, Callable[[], str]] = {"parity": parity, "counts": counts}


def main() -> None:
    """Write the page."""
    text = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(PART.sub(lambda found: f"{found[1]}{PARTS[found[2]]()}\n{found[3]}", text), encoding="utf-8")


if __name__ == "__main__":
    main()
