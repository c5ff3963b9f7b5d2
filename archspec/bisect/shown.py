"""A bisection as text and as plain data: the changes, what they would cost, the evidence, and what it comes to."""

from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean
from typing import Any

from archspec.bisect.folder import ENDS, BisectFolder, numbers
from archspec.bisect.minimise import Subset, most, of_one_culprit
from archspec.bisect.pair import Pair, listed
from archspec.bisect.search import Found, Search, Tried, figures
from archspec.bisect.verdict import Score, Verdict
from archspec.compare.difference import Difference, differences
from archspec.compare.markup import as_data
from archspec.compare.shown import PLAIN, Style, bold, entry, heading, text_of
from archspec.sweep.shown import aligned, counted, lasting
from archspec.train.folder import RunFolder


def changes_of(pair: Pair, style: Style = PLAIN) -> Iterator[str]:
    """The changes by their numbers, each with what it cannot be made without."""
    yield heading(pair.names, style, True)
    title = ""
    for at, edit in enumerate(pair.edits):
        if edit.heading != title:
            title = edit.heading
            yield from ("", bold(title, style))
        lines = [line for change in edit.shown for line in entry(change, style)]
        needs = pair.coherent.needs[at]
        yield f"{at + 1:>3}{lines[0]}"
        yield from (f"   {line}" for line in lines[1:])
        if needs:
            yield f"       {style.faint[0]}not without {numbers(needs)} ({pair.named(needs)}){style.faint[1]}"


def forecast(pair: Pair, seeds: Sequence[int], every: Sequence[int], jobs: int) -> Iterator[str]:
    """How many specs may have to be trained, and how long that takes."""
    number = len(pair.edits)
    many = most(number)
    few = min(of_one_culprit(number) + 1, many)
    which = f"{counted(len(seeds), 'seed')} each ({listed([*map(str, seeds)])}), up to {len(every)} where undecided"
    yield f"{counted(number, 'change')}, {which}"
    yield f"GOOD and BAD: {costs(2, pair, seeds, jobs)}"
    if many:
        yield f"if one change is to blame, at most {few} specs between: {costs(few, pair, seeds, jobs)}"
    if many > few:
        yield f"whatever is to blame, at most {many} specs between: {costs(many, pair, seeds, jobs)}"


def planned_data(pair: Pair, seeds: Sequence[int]) -> dict[str, Any]:
    """The changes and how many specs may have to be trained, for tools."""
    number = len(pair.edits)
    return {
        "good": pair.names[0],
        "bad": pair.names[1],
        "changes": {str(at): edit.name for at, edit in enumerate(pair.edits, 1)},
        "needs": {str(at + 1): one_based(needs) for at, needs in pair.coherent.needs.items()},
        "seeds": [*seeds],
        "specs_between": {"one_culprit": min(of_one_culprit(number) + 1, most(number)), "most": most(number)},
        "seconds_a_run": pair.seconds,
    }


def costs(specs: int, pair: Pair, seeds: Sequence[int], jobs: int) -> str:
    """How many runs some specs are, and how long they take."""
    number = specs * len(seeds)
    time = "" if pair.seconds is None else f", forecast {lasting(number * pair.seconds / jobs)}"
    return f"{counted(number, 'run')}{time}" + (f" with {jobs} at a time" if time and jobs > 1 else "")


def row(one: Tried, pair: Pair, score: tuple[str, str]) -> tuple[str, ...]:
    """A piece of evidence."""
    whole = one.trial.changes in (frozenset(), pair.whole)
    names = "" if whole else pair.named(one.trial.changes)
    twin = f" = {one.twin}" if one.twin else ""
    name = ENDS.get(one.trial.folder) or numbers(one.trial.changes)
    return (name, names, shown_scores(score[1], one.scores), one.verdict.value + twin)


def shown_scores(name: str, scores: Mapping[int, Score]) -> str:
    """The mean, and the scores of the seeds."""
    sound = [one for one in scores.values() if one is not None]
    each = figures(name, [*scores.values()])
    return each if len(sound) < 2 else f"{figures(name, [fmean(sound)])}  ({each})"


def evidence(search: Search) -> str:
    """Everything that was tried, in order."""
    score = search.score
    head = ("changes", "", f"{score[0]} {score[1]}, mean and seeds", "")
    return "\n".join(aligned([head, *(row(one, search.pair, score) for one in search.tried.values())]))


def difference(found: Found, pair: Pair) -> Difference:
    """The smallest set as a difference of GOOD."""
    return differences(pair.good, found.broken.trial.checked)


def answer(found: Found, search: Search, style: Style = PLAIN) -> str:
    """What the search has come to."""
    pair = search.pair
    blocks = [evidence(search), "\n".join(said(found, pair)), smallest(found, pair, style)]
    return "\n\n".join([*blocks, "\n".join(closing(found, search))])


def smallest(found: Found, pair: Pair, style: Style) -> str:
    """The smallest set as `archspec diff` shows it."""
    name = pair.names[1] if found.changes == pair.whole else f"{pair.names[0]} with {pair.named(found.changes)}"
    return text_of(difference(found, pair), (pair.names[0], name), style).rstrip()


def said(found: Found, pair: Pair) -> Iterator[str]:
    """The answer in a sentence, and what of it is open."""
    number, every = len(found.changes), len(pair.edits)
    of = "the only change" if every == 1 else f"{number} of {every} changes"
    yield f"{culprits(found.changes, pair)} training ({of}: {numbers(found.changes)})"
    own = found.changes - needed(found.changes, pair)
    if found.undecided:
        names = pair.named(frozenset(found.undecided))
        yield f"not decided: whether {names} {'is' if len(found.undecided) == 1 else 'are'} needed for it"
    elif own and number > 1:
        each = {1: pair.named(own), 2: "either of them"}.get(len(own), "any one of them")
        yield f"with {each} undone it works"


def needed(changes: Subset, pair: Pair) -> Subset:
    """Those without which others among them cannot be made."""
    return frozenset(one for one in changes if pair.coherent.within(changes - {one}) != changes - {one})


def culprits(changes: Subset, pair: Pair) -> str:
    """`layer with d, which it cannot be made without, breaks`."""
    own, others = changes - needed(changes, pair), needed(changes, pair)
    if len(changes) == 1:
        return f"{pair.named(changes)} breaks"
    if not own:
        return f"{pair.named(changes)}, which cannot be made without each other, break"
    verb, it = ("breaks", "it") if len(own) == 1 else ("together break", "they")
    return f"{pair.named(own)}{f' with {pair.named(others)}, which {it} cannot be made without,' * bool(others)} {verb}"


def closing(found: Found, search: Search) -> Iterator[str]:
    """The opposite check, the health of what is broken, and where it all is."""
    yield opposite(found, search)
    yield f"health: {health(found, search.folder)}"
    seeds = f"{counted(len(search.seeds), 'seed')} ({listed([*map(str, search.seeds)])})"
    yield f"scores are those of {seeds}, of further ones where these did not decide"
    yield f"folder of the runs: {search.folder.path}"


def opposite(found: Found, search: Search) -> str:
    """Whether BAD works once only these changes are undone."""
    one = found.opposite
    if one is None:
        return "BAD without these changes alone does not compile, so the opposite was not tried"
    if not one.trial.changes:
        return "BAD without these changes is GOOD"
    score = shown_scores(search.score[1], one.scores)
    return f"BAD without these changes {OPPOSITE[one.verdict]}: {' '.join(search.score)} {score}"


OPPOSITE = {
    Verdict.WORKS: "works",
    Verdict.BROKEN: "is still broken: something else breaks it too",
    Verdict.UNDECIDED: "is neither clearly broken nor working",
}
"""What is said of BAD without the smallest set."""


def health(found: Found, folder: BisectFolder) -> str:
    """The gradients of the broken run's first epoch beside GOOD's, and the first sign of trouble it gave."""
    seed = next(iter(found.broken.scores))
    broken, good = (
        folder.path / name / f"seed-{seed}" for name in (found.broken.twin or found.broken.trial.folder, "good")
    )
    parts = [f"largest ‖g‖ of epoch 1 {largest(RunFolder(broken))}, GOOD {largest(RunFolder(good))} (seed {seed})"]
    if events := RunFolder(broken).events():
        first = events[0]
        parts.append(f"epoch {first['epoch']}, step {first['step']}: {first['message']}")
    return "; ".join(parts)


def largest(run: RunFolder) -> str:
    """The largest norm of the whole gradient in the first epoch."""
    norm = next((record["gradient_norm"]["max"] for record in run.records()), None)
    return "not known" if norm is None else f"{norm:.3g}"


def data_of(found: Found, search: Search) -> dict[str, Any]:
    """Everything for tools."""
    pair = search.pair
    shown = as_data(difference(found, pair), (pair.names[0], f"{pair.names[0]} with {pair.named(found.changes)}"))
    return {
        "good": pair.names[0],
        "bad": pair.names[1],
        "score": ".".join(search.score),
        "changes": {str(at): edit.name for at, edit in enumerate(pair.edits, 1)},
        "smallest": one_based(found.changes),
        "undecided": one_based(frozenset(found.undecided)),
        "opposite": found.opposite and tried_data(found.opposite),
        "health": health(found, search.folder),
        "tried": [tried_data(one) for one in search.tried.values()],
        "difference": shown,
        "folder": str(search.folder.path),
    }


def one_based(some: Subset) -> list[int]:
    """Changes as they are numbered for people."""
    return [one + 1 for one in sorted(some)]


def tried_data(one: Tried) -> dict[str, Any]:
    """A piece of evidence for tools; the score of a run that diverged is null."""
    return {
        "folder": one.twin or one.trial.folder,
        "changes": one_based(one.trial.changes),
        "scores": {str(seed): score for seed, score in one.scores.items()},
        "verdict": one.verdict.value,
        "same_as": one.twin or None,
    }
