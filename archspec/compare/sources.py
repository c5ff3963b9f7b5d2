"""What can be compared: a file, a run's folder, a spec that comes with archspec, or a file at a revision of git."""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from archspec.compare import git
from archspec.diagnostics import Diagnostic, Problems, SpecError
from archspec.source import SourceFile
from archspec.syntax.document import Mapping as Section
from archspec.syntax.document import read_document
from archspec.syntax.load import load_spec
from archspec.syntax.merge import names_of_files
from archspec.syntax.spec import Spec

SPEC = "spec.yaml"
"""The resolved spec in a run's folder."""

PREFIX = "git:"

Read = Callable[[PurePosixPath], bytes | None]
"""The bytes of a file by its path, None where there is none."""


@dataclass(frozen=True)
class Source:
    """A spec, and how it was named."""

    name: str
    spec: Spec

    @property
    def title(self) -> str:
        """How it was named, and its own name where that is another."""
        return self.name if self.spec.name == self.name else f"{self.name} ({self.spec.name})"


def read(name: str, overrides: Sequence[str] = (), above: Section | None = None) -> Source:
    """The spec that a name stands for, with overrides and one more layer laid over it. Raises SpecError."""
    if name.startswith(PREFIX):
        return Source(name, at_revision(name, overrides, above))
    folder = Path(name)
    return Source(name, load_spec(folder / SPEC if (folder / SPEC).is_file() else name, overrides, above))


def at_revision(name: str, overrides: Sequence[str], above: Section | None) -> Spec:
    """The spec in `git:REV:PATH`; what it extends and uses is read at that revision too."""
    revision, colon, path = name.removeprefix(PREFIX).partition(":")
    if not (revision and colon and path):
        help = "such as `git:HEAD~1:specs/gin.yaml`"
        raise SpecError([Diagnostic("E0044", f"`{name}` does not name a file at a revision", help=help)])
    top, place = git.top(), git.path_from_top(path)
    return copied(place, lambda one: git.file(top, revision, one), name, overrides, above)


def copied(
    place: PurePosixPath, read: Read, name: str, overrides: Sequence[str] = (), above: Section | None = None
) -> Spec:
    """The spec of a file that is read by other means: it and what it extends, put beside each other for a moment."""
    with tempfile.TemporaryDirectory(prefix="archspec-") as folder:
        root = Path(folder)
        if not copy(place, read, root):
            raise SpecError([Diagnostic("E0001", f"there is no file `{name}`", path=name, help="name another")])
        try:
            return load_spec(root / place, overrides, above)
        except SpecError as error:
            raise SpecError([elsewhere(one, root, place, name) for one in error.diagnostics]) from None


def copy(place: PurePosixPath, read: Read, root: Path) -> bool:
    """Copy a file and all it names; False where it is not there."""
    target = root / place
    if target.exists():
        return True
    content = read(place)
    if content is None:
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)
    for named in mentioned(content):
        near = PurePosixPath(normal(place.parent / named))
        if ".." not in near.parts and not copy(near, read, root):
            copy(near.with_name(f"{near.name}.yaml"), read, root)
    return True


def normal(path: PurePosixPath) -> str:
    """A path without `.` and with `..` worked out."""
    parts: list[str] = []
    for part in path.parts:
        if part == ".." and parts and parts[-1] != "..":
            parts.pop()
        else:
            parts.append(part)
    return "/".join(parts)


def mentioned(content: bytes) -> list[str]:
    """The files that a spec extends or uses; none where it cannot be read, which is told when it is loaded."""
    problems = Problems()
    document = read_document(SourceFile("", content.decode("utf-8", errors="replace")), problems)
    if not isinstance(document, Section):
        return []
    return [one.text for key in ("extends", "uses") for one in names_of_files(document, key, problems)]


def elsewhere(problem: Diagnostic, root: Path, place: PurePosixPath, name: str) -> Diagnostic:
    """A problem of a copied file at the place it comes from."""

    def renamed(path: str) -> str:
        if not path.startswith(str(root)):
            return path
        own = PurePosixPath(path[len(str(root)) + 1 :])
        return name if own == place else name.replace(place.name, str(own)) if place.name in name else str(own)

    span = problem.span
    if span is not None:
        span = replace(span, source=replace(span.source, path=renamed(span.source.path)))
    help = problem.help.replace(f"{root}/", "")
    return replace(problem, span=span, path=renamed(problem.path), help=help)
