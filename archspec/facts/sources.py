"""Data sets that PyG reads: any class of `torch_geometric.datasets` by its name, and short names for some."""

import ast
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from archspec.syntax.schema import DataSettings, Scalar

PYG = "torch_geometric.datasets"


@dataclass(frozen=True)
class Source:
    """A class of `torch_geometric.datasets`, or of another module that makes such, and options it is called with."""

    pyg: str
    options: Mapping[str, Scalar] = field(default_factory=dict)
    folder: str = ""
    """Where its raw files are below the folder in `ARCHSPEC_DATA`, the name of the class if empty."""
    benchmark: tuple[str, str] | None = None
    """Loss and main score of the benchmark, None for those of the kind of task."""
    module: str = PYG
    kept: tuple[str, ...] = ("raw",)
    """Names of the folders and files that raw data consists of."""


ROC, POSITIVE = ("cross_entropy", "roc_auc"), ("weighted_cross_entropy", "acc")


def tu(name: str) -> Source:
    """A set of the collection of TU Dortmund."""
    return Source("TUDataset", {"name": name}, "TU")


def gnn_benchmark(name: str, benchmark: tuple[str, str] | None = None) -> Source:
    """A set of *Benchmarking Graph Neural Networks* as it was released."""
    return Source("GNNBenchmarkDataset", {"name": name}, "GNNBenchmark", benchmark)


def heterophilous(name: str, benchmark: tuple[str, str] | None = None) -> Source:
    """A set of Platonov et al., *A critical look at the evaluation of GNNs under heterophily*."""
    return Source("HeterophilousGraphDataset", {"name": name}, "Heterophilous", benchmark)


def ogb(name: str, benchmark: tuple[str, str] | None = None) -> Source:
    """A set of molecules of the Open Graph Benchmark (Hu et al. 2020), read by its own package."""
    parts = ("raw", "split", "RELEASE_v1.txt")
    return Source("PygGraphPropPredDataset", {"name": name}, "OGB", benchmark, "ogb.graphproppred", parts)


RANKS, MANY_RANKS = ("bce_with_logits", "roc_auc"), ("bce_with_logits", "average_precision")
OGB: Mapping[str, tuple[str, str]] = {
    **dict.fromkeys(("molhiv", "molbace", "molbbbp"), ROC),
    **dict.fromkeys(("molpcba", "molmuv"), MANY_RANKS),
    **dict.fromkeys(("molclintox", "molsider", "moltox21", "moltoxcast"), RANKS),
    **dict.fromkeys(("molesol", "molfreesolv", "mollipo"), ("mse", "rmse")),
}
"""Loss and score of the benchmark's sets; of several answers each score is the mean over them."""

SOURCES: Mapping[str, Source] = {
    "zinc": Source("ZINC", {"subset": True}, benchmark=("l1", "mae")),
    "mutag": tu("MUTAG"),
    "enzymes": tu("ENZYMES"),
    "proteins": tu("PROTEINS"),
    "nci1": tu("NCI1"),
    "cora": Source("Planetoid", {"name": "Cora"}),
    "citeseer": Source("Planetoid", {"name": "CiteSeer"}),
    "pubmed": Source("Planetoid", {"name": "PubMed"}),
    "minesweeper": heterophilous("Minesweeper", ROC),
    "tolokers": heterophilous("Tolokers", ROC),
    "questions": heterophilous("Questions", ROC),
    "roman_empire": heterophilous("Roman-empire"),
    "amazon_ratings": heterophilous("Amazon-ratings"),
    "esol": Source("MoleculeNet", {"name": "esol"}, benchmark=("mse", "rmse")),
    "csl_released": gnn_benchmark("CSL"),
    "pattern_released": gnn_benchmark("PATTERN", POSITIVE),
    "cluster_released": gnn_benchmark("CLUSTER", POSITIVE),
    "mnist": gnn_benchmark("MNIST"),
    "cifar10": gnn_benchmark("CIFAR10"),
    "peptides_func": Source("LRGBDataset", {"name": "Peptides-func"}, "LRGB"),
    "peptides_struct": Source("LRGBDataset", {"name": "Peptides-struct"}, "LRGB"),
    **{f"ogbg-{name}": ogb(f"ogbg-{name}", benchmark) for name, benchmark in OGB.items()},
}
"""Short names."""


@cache
def classes() -> frozenset[str]:
    """The classes of `torch_geometric.datasets`, from its text: importing it takes seconds."""
    found = find_spec("torch_geometric")
    if found is None or found.origin is None:
        return frozenset()
    text = (Path(found.origin).parent / "datasets" / "__init__.py").read_text(encoding="utf-8")
    imports = [one for one in ast.parse(text).body if isinstance(one, ast.ImportFrom)]
    return frozenset(alias.name for one in imports for alias in one.names if alias.name[:1].isupper())


def source(settings: DataSettings) -> Source | None:
    """The class that reads a data set, with all its options; None where PyG does not know it."""
    if short := SOURCES.get(settings.name):
        return replace(short, options={**short.options, **settings.options})
    if settings.name not in classes():
        return None
    for one in SOURCES.values():  # by its class with the same options it is the same data set
        if one.pyg == settings.name and all(settings.options.get(key) == value for key, value in one.options.items()):
            return Source(one.pyg, settings.options, one.folder, one.benchmark)
    folders = {one.pyg: one.folder for one in SOURCES.values()}
    return Source(settings.name, settings.options, folders.get(settings.name, ""))


def key(one: Source) -> str:
    """What files of a data set are called: the class and its options, equal for equal data."""
    text = "-".join([one.pyg, *(f"{name}={value}" for name, value in sorted(one.options.items()))])
    plain = re.sub(r"[^A-Za-z0-9=._-]", "_", text)
    return plain if plain == text else f"{plain}-{zlib.crc32(text.encode()):08x}"
