"""What git calls: `archspec diff --git` as external diff and as textconv.

It never fails on what a commit may hold: a file that is no spec, or a broken one, is shown as its text. What a spec
extends is read from the working tree, since git does not say which revisions it compares.
"""

import difflib
import re
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath

from archspec.compare import git
from archspec.compare.sources import Source, copied
from archspec.diagnostics import Diagnostic, Problems, SpecError, concise
from archspec.syntax.files import read_source
from archspec.syntax.format import format_text
from archspec.syntax.spec import Spec

Shown = Callable[[Source, Source], str]
"""The difference of two specs as text."""

NOTHING = "/dev/null"
"""What git names in place of a file that one side does not have."""

LOOKS_LIKE_SPEC = re.compile(rb"^(model|extends):", re.MULTILINE)


def driven(arguments: Sequence[str], show: Shown) -> str:
    """What git is to show, by how it calls: with one file for textconv, with seven or nine words for a difference."""
    if len(arguments) == 1:
        return canonical(Path(arguments[0]))
    if len(arguments) not in (7, 9):
        help = "`archspec diff --git --install` tells git to"
        raise SpecError([Diagnostic("E0044", "`diff --git` is for git to call", help=help)])
    path, old, _, _, new, *_ = arguments
    head = f"diff --archspec a/{path} b/{renamed(arguments)}\n"
    contents = [b"" if one == NOTHING else Path(one).read_bytes() for one in (old, new)]
    if NOTHING in (old, new):
        return head + as_text(path, contents)
    try:
        specs = [spec_of(path, content) for content in contents]
        return head + show(*(Source(f"{side}/{path}", spec) for side, spec in zip("ab", specs, strict=True)))
    except Exception as error:  # whatever it is, git has to go on
        reason = concise(error.diagnostics[0]) if isinstance(error, SpecError) else f"bug in archspec: {error!r}"
        spec = any(LOOKS_LIKE_SPEC.search(content) for content in contents)
        note = f"# shown as text: {reason}\n" if spec else ""
        return head + note + as_text(path, contents)


def renamed(arguments: Sequence[str]) -> str:
    """The new path: where a file was renamed, git gives it as the eighth word."""
    return arguments[7] if len(arguments) > 7 else arguments[0]


def spec_of(path: str, content: bytes) -> Spec:
    """The spec of a file's content, with what it extends from the working tree."""
    place, folder = PurePosixPath(path), git.top()

    def read(one: PurePosixPath) -> bytes | None:
        if one == place:
            return content
        file = folder / one
        return file.read_bytes() if file.is_file() else None

    return copied(place, read, path)


def as_text(path: str, contents: Sequence[bytes]) -> str:
    """The difference of two files line by line."""
    old, new = (content.decode("utf-8", errors="replace").splitlines() for content in contents)
    return "\n".join([*difflib.unified_diff(old, new, f"a/{path}", f"b/{path}", lineterm=""), ""])


def canonical(path: Path) -> str:
    """The file with its equations in canonical form, or as it stands where it has none that can be read."""
    text = path.read_bytes().decode("utf-8", errors="replace")
    if "\n<<<<<<< " in f"\n{text}":
        return text
    try:
        source = read_source(path, Problems())
        return format_text(source) if source else text
    except SpecError:
        return text
