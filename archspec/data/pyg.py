"""Data sets that PyG reads, converted into packed graphs once and kept; PyG is imported only to read them.

Raw files are taken from the folder in `ARCHSPEC_DATA`, which is never written to, then from earlier downloads in the
cache folder, else PyG downloads them. PyG works in a temporary folder with copies of them, so whatever is half done
when something fails goes with that folder.
"""

import contextlib
import importlib
import inspect
import io
import os
import re
import shutil
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import Any

from archspec.data import folds, read, zinc
from archspec.data.cache import Draw, Progress, Report, cached
from archspec.data.infer import facts_of
from archspec.data.packed import Packed, Rows
from archspec.data.place import Place
from archspec.data.read import Unfit
from archspec.data.saved import allowed
from archspec.diagnostics import Diagnostic, SpecError
from archspec.facts import Facts, kept
from archspec.facts.known import known, short_name
from archspec.facts.sources import Source, key
from archspec.syntax.schema import DataSettings

RAW = "ARCHSPEC_DATA"
VERSION = 2
"""Counts changes of how graphs are converted."""

NO_OPTIONS = (
    *("self", "root", "transform", "pre_transform", "pre_filter", "force_reload", "from_smiles", "log", "meta_dict"),
)
"""Arguments of PyG's classes that are not for specs to set: folders and Python functions."""

SPLITS = ("train", "val", "test")
PUBLISHED = {"val": "valid"}
"""What the Open Graph Benchmark calls a split."""

SCRATCH, ABANDONED = ".reading-", 86_400
"""What temporary folders begin with, and after how many seconds one is no longer in use."""


def fetch(
    settings: DataSettings, source: Source, directory: Path, report: Report, progress: Progress, place: Place
) -> tuple[dict[str, Packed], Facts]:
    """The graphs of a data set and its facts, measured and kept where the table does not have them.

    Raises SpecError: E0403 no such option, E0407 an option missing or refused, E0409 raw files that can neither be
    found nor downloaded, E0410 raw files that cannot be read, E0411 a package PyG needs is missing, E0412 graphs that
    are of no use here, E0402 the cache folder cannot be written.
    """
    one = Reader(settings, source, directory, progress, place)
    origin = {"pyg": source.pyg, "options": dict(source.options), "version": VERSION}
    packed = cached(Draw(f"{key(source)}.graphs", origin, one.splits, "reading"), directory, report)
    facts = known(settings, None, directory)
    if facts is None:
        try:
            whole = facts_of(short_name(settings) or settings.name, packed, source.benchmark)
        except Unfit as problem:
            raise one.unfit(problem) from problem
        kept.write(key(source), whole, directory)
        facts = known(settings, None, directory)
    assert facts is not None  # they have been kept
    return packed, facts


class Reader:
    """Reads one data set through PyG."""

    def __init__(self, settings: DataSettings, source: Source, directory: Path, progress: Progress, place: Place):
        self.settings, self.source, self.directory = settings, source, directory
        self.progress, self.place = progress, place
        self.given: set[Path] = set()
        """Raw files that were there before PyG."""

    def splits(self) -> Iterator[tuple[str, list[Packed]]]:
        """The splits that the class has, or `all`."""
        raw = os.environ.get(RAW)
        if raw and self.source.pyg == "ZINC" and self.source.options.get("subset") and zinc.there(Path(raw)):
            yield from self.arrays(Path(raw))
            return
        with self.scratch() as root:
            loaded = {split: self.instance(root, split) for split in self.names()}
            whole: Any = loaded.get("all")
            if hasattr(whole, "get_idx_split"):
                index = whole.get_idx_split()
                loaded = {split: whole[index[PUBLISHED.get(split, split)]] for split in SPLITS}
            self.keep(root)
            total, done = sum(map(len, loaded.values())), 0
            level, letters = self.kinds([graph for graphs in loaded.values() for graph in graphs])
            for split, graphs in loaded.items():
                watch = partial(self.count, done, total)
                yield split, [self.converted(graphs, split == "all", level, letters, watch)]
                done += len(graphs)

    def arrays(self, raw: Path) -> Iterator[tuple[str, list[Packed]]]:
        """ZINC's splits from its file of arrays."""
        try:
            found = dict(zinc.splits(raw))
        except Exception as problem:  # what NumPy raises depends on the byte that is wrong
            message = f"`{raw / zinc.FILE}` cannot be read: {type(problem).__name__}: {problem}"
            raise wrong("E0410", message, self.place("data", "name"), "put a sound copy there") from problem
        for split, graphs in found.items():
            yield split, [graphs]

    def count(self, before: int, total: int, count: int) -> None:
        """Tell how many graphs of all are done."""
        self.progress(before + count, total)

    def kinds(self, graphs: list[Any]) -> tuple[Rows, set[str]]:
        """What carries the labels of all splits, and which of `x` and `edge_attr` are letters in all of them."""
        try:
            return read.level_of(graphs), read.letters_of([graphs])
        except Unfit as problem:
            raise self.unfit(problem) from problem

    def converted(
        self, graphs: Any, whole: bool, level: Rows, letters: set[str], watch: Callable[[int], None]
    ) -> Packed:
        """The graphs of a split, each counted when it is packed."""
        try:
            return read.packed(graphs, watch, whole, level, letters)
        except Unfit as problem:
            raise self.unfit(problem) from problem

    def names(self) -> tuple[str, ...]:
        """The splits that the class is asked for, one after the other."""
        split = self.arguments().get("split")
        several = split is not None and split.default == "train" and "split" not in self.source.options
        return SPLITS if several and short_name(self.settings) not in folds.PUBLISHED else ("all",)

    def arguments(self) -> Mapping[str, inspect.Parameter]:
        """The arguments of the class."""
        return inspect.signature(self.made().__init__).parameters

    def made(self) -> Any:
        """The class. Raises SpecError E0411 where its package is not installed."""
        try:
            return getattr(importlib.import_module(self.source.module), self.source.pyg)
        except ImportError as problem:
            raise self.failure(problem, "") from problem

    def instance(self, root: Path, split: str) -> Any:
        """The data set of a split; its noise is kept, and torch's generator is as before."""
        import torch

        self.check_options()
        options = dict(self.source.options) | ({} if split == "all" else {"split": split})
        if "root" in self.arguments():
            options["root"] = str(root)
        noise = io.StringIO()
        with contextlib.ExitStack() as stack:
            for redirect in (contextlib.redirect_stderr, contextlib.redirect_stdout):
                stack.enter_context(redirect(noise))
            stack.enter_context(
                torch.serialization.safe_globals(allowed())
            )  # some read back what they have just written
            stack.enter_context(silent())
            stack.enter_context(warnings.catch_warnings())
            warnings.simplefilter("ignore")
            stack.enter_context(torch.random.fork_rng(devices=[]))
            torch.manual_seed(0)  # for classes that draw their splits
            try:
                return self.made()(**options)
            except (Exception, SystemExit) as problem:
                raise self.failure(problem, noise.getvalue()) from problem

    def check_options(self) -> None:
        """E0403 for an option the class does not have, E0407 for one of another kind than its default or missing."""
        name, allowed = self.source.pyg, {key: one for key, one in self.arguments().items() if key not in NO_OPTIONS}
        problems = []
        for option, value in self.source.options.items():
            at = self.place("data", "options", option)
            if option not in allowed:
                near = get_close_matches(option, allowed, 1)
                cure = f"write `{near[0]}`" if near else f"it has {', '.join(f'`{one}`' for one in allowed) or 'none'}"
                problems.append(Diagnostic("E0403", f"`{name}` has no option `{option}`", at, help=cure))
            elif isinstance(value, str) and outside(value):
                cure = "write a name without `..` and not from the root"
                problems.append(Diagnostic("E0407", f"the option `{option}` of `{name}` is a path", at, help=cure))
            elif (default := allowed[option].default) is not inspect.Parameter.empty and not alike(value, default):
                message = f"the option `{option}` of `{name}` cannot be `{value}`"
                problems.append(Diagnostic("E0407", message, at, help=f"its default is `{default}`"))
        for option, one in allowed.items():
            if one.default is inspect.Parameter.empty and option not in self.source.options:
                cure = f"write `options: {{{option}: …}}`"
                message = f"`{name}` needs the option `{option}`"
                problems.append(Diagnostic("E0407", message, self.place("data", "name"), help=cure))
        if problems:
            raise SpecError(problems)

    @contextlib.contextmanager
    def scratch(self) -> Iterator[Path]:
        """A temporary folder in which PyG finds copies of the raw files that are there: it may write over them."""
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            remove_abandoned(self.directory)
            root = Path(tempfile.mkdtemp(prefix=SCRATCH, dir=self.directory))
        except OSError as problem:
            message = f"the data set cannot be kept in this folder: {problem.strerror}"
            cure = "name a folder with space that you may write to, by `--data-dir` or the variable ARCHSPEC_CACHE"
            raise SpecError([Diagnostic("E0402", message, path=str(self.directory), help=cure)]) from problem
        try:
            named = {plain(one) for one in self.source.options.values() if isinstance(one, str)}
            parts = self.source.kept
            self.given = {place for folder in self.raw_folders() for place in copy(folder, root, named, parts)}
            yield root
        finally:
            shutil.rmtree(root, ignore_errors=True)

    def raw_folders(self) -> list[Path]:
        """Where raw files may be, the user's own first."""
        given = os.environ.get(RAW)
        own = [Path(given) / (self.source.folder or self.source.pyg)] if given else []
        return [*own, self.downloads()]

    def downloads(self) -> Path:
        """Where downloaded raw files are kept."""
        return self.directory / "raw" / self.source.pyg

    def keep(self, root: Path) -> None:
        """Keep what was downloaded, now that it could be read."""
        for file in list(root.rglob("*")):
            if file.is_file() and file not in self.given and {*self.source.kept} & {*file.relative_to(root).parts}:
                target = self.downloads() / file.relative_to(root)
                target.parent.mkdir(parents=True, exist_ok=True)
                part = target.with_name(f".{target.name}.{os.getpid()}.part")
                shutil.copyfile(file, part)
                part.replace(target)

    def failure(self, problem: BaseException, noise: str) -> SpecError:
        """What an exception of PyG's means."""
        name, at = self.settings.name, self.place("data", "name")
        line = last_line(problem)
        if isinstance(problem, ImportError):
            needed = (problem.name or str(problem)).partition(".")[0]
            extra = "ogb" if needed == "ogb" else "data"
            cure = f"`pip install {needed}`; the extra `archspec-nn[{extra}]` has what most data sets need"
            return wrong("E0411", f"PyG needs the package `{needed}` to read `{name}`", at, cure)
        if isinstance(problem, AssertionError | TypeError) and not noise:
            return wrong("E0407", f"`{self.source.pyg}` refuses its options", at, "see PyG's documentation", line)
        if isinstance(problem, OSError):
            tried = re.findall(r"Downloading (\S+)", noise) or [getattr(self.made(), "url", "")]
            folder = " or ".join(f"`{one}`" for one in self.raw_folders())
            said = (f"tried {tried[-1]}: {problem}" if tried[-1] else str(problem), f"looked in {folder}")
            cure = f"put the raw files there as PyG's `{self.source.pyg}` has them, or connect to the network"
            return wrong("E0409", f"the raw files of `{name}` are not here and cannot be downloaded", at, cure, *said)
        message = f"PyG cannot read the raw files of `{name}`: {type(problem).__name__}: {problem}"
        return wrong("E0410", message, at, "remove them, so that they are downloaded again", line)

    def unfit(self, problem: Unfit) -> SpecError:
        """E0412: graphs that cannot be learnt from."""
        message = f"the data set `{self.settings.name}` {problem}"
        return wrong("E0412", message, self.place("data", "name"), "name another data set")


def wrong(code: str, message: str, at: Any, cure: str, *notes: str) -> SpecError:
    """One problem."""
    return SpecError([Diagnostic(code, message, at, help=cure, notes=tuple(note for note in notes if note))])


def alike(value: object, default: object) -> bool:
    """Whether a value is of the kind of a default; a default of None does not tell."""
    return default is None or type(value) is type(default) or (isinstance(default, float) and type(value) is int)


@contextlib.contextmanager
def silent() -> Iterator[None]:
    """Whoever asks a question gets no answer, which is an EOFError, since nobody sees the question."""
    before, sys.stdin = sys.stdin, io.StringIO()
    try:
        yield
    finally:
        sys.stdin = before


def last_line(problem: BaseException) -> str:
    """The line of PyG's that raised an exception: what an `assert` without a message asks for."""
    frames = traceback.extract_tb(problem.__traceback__)
    return f"at `{frames[-1].line}`" if frames and frames[-1].line else ""


def outside(value: str) -> bool:
    """Whether a text could be a path that leaves the folder it is used in: PyG makes folders of some options."""
    return ".." in re.split(r"[/\\]", value) or Path(value).is_absolute()


def plain(name: str) -> str:
    """A name as classes may turn it into that of a folder."""
    return name.lower().replace("-", "_")


def copy(folder: Path, root: Path, named: set[str], parts: tuple[str, ...]) -> Iterator[Path]:
    """Copy raw files below a folder into folders like theirs in `root`, where those that are there stay.

    Of several data sets of a class only the one is copied whose folder is called like an option. Yields the copies.
    """
    for file in folder.rglob("*"):
        inside = file.relative_to(folder)
        place, wanted = root / inside, inside.parts[0] == "raw" or not named or plain(inside.parts[0]) in named
        if file.is_file() and wanted and {*parts} & {*inside.parts} and not place.exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, place)
            yield place


def remove_abandoned(folder: Path) -> None:
    """Remove temporary folders that killed processes left."""
    for left in folder.glob(f"{SCRATCH}*"):
        with contextlib.suppress(OSError):
            if time.time() - left.stat().st_mtime > ABANDONED:
                shutil.rmtree(left, ignore_errors=True)
