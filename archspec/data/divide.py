"""Stored graphs become training, validation and test splits."""

from archspec.data import folds
from archspec.data.masked import Masked, Whole
from archspec.data.packed import PARTS, Packed
from archspec.data.place import Place
from archspec.data.split import Split
from archspec.diagnostics import Diagnostic, SpecError
from archspec.facts import Facts
from archspec.facts.known import short_name
from archspec.syntax.schema import DataSettings


def divide(packed: dict[str, Packed], facts: Facts, settings: DataSettings) -> dict[str, Split]:
    """The splits as they are stored, by masks over nodes, or by folds over graphs; `limit` is applied."""
    whole, limit, fold = packed.get("all"), settings.limit, settings.fold or 0
    if whole is None:
        return {
            name: Split(graphs if limit is None else graphs.first(limit), facts.symmetric)
            for name, graphs in packed.items()
        }
    if whole.mask is not None:
        shared = Whole(whole, facts.symmetric)
        return {part: Masked(shared, part, fold) for part in PARTS}
    chosen = folds.parts(short_name(settings), whole, fold, settings.seed)
    return {
        name: Split(whole.take(folds.some(graphs, limit, settings.seed)), facts.symmetric)
        for name, graphs in chosen.items()
    }


def check_fold(settings: DataSettings, facts: Facts, place: Place) -> None:
    """E0414 for a fold that there is not."""
    if settings.fold is not None and settings.fold >= (facts.folds or 1):
        message = f"the data set `{settings.name}` has no fold {settings.fold}"
        cure = "remove `data.fold`: there is one split"
        if facts.folds:
            cure = f"write a number from 0 to {facts.folds - 1}"
        raise SpecError([Diagnostic("E0414", message, place("data", "fold"), help=cure)])
