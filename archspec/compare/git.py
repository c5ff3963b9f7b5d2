"""What is asked of git: a file at a revision, and to show differences through archspec."""

import subprocess
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from archspec.diagnostics import Diagnostic, SpecError

DRIVER = "archspec"
"""The name of the driver in `.gitattributes` and in the configuration of a repository."""


def ask(*arguments: str, folder: str | Path | None = None) -> bytes | None:
    """What git prints; None where it fails. Raises SpecError E0045 where there is no git."""
    try:
        done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, check=False)
    except FileNotFoundError:
        raise SpecError([Diagnostic("E0045", "git is not installed", help="install it, or name files")]) from None
    return done.stdout if done.returncode == 0 else None


def top() -> Path:
    """The top of the repository. Raises SpecError E0045 outside of one."""
    found = ask("rev-parse", "--show-toplevel")
    if found is None:
        raise SpecError([Diagnostic("E0045", "this folder is in no git repository", help="go to one")])
    return Path(found.decode().rstrip("\n"))


def path_from_top(path: str) -> PurePosixPath:
    """A path as git takes it behind a revision: from the top, or from here where it begins with `./` or `../`."""
    if not path.startswith(("./", "../")):
        return PurePosixPath(path)
    prefix = (ask("rev-parse", "--show-prefix") or b"").decode().strip()
    parts: list[str] = []
    for part in PurePosixPath(prefix, path).parts:
        if part == ".." and parts:
            parts.pop()
        else:
            parts.append(part)
    return PurePosixPath(*parts)


def file(folder: Path, revision: str, path: PurePosixPath) -> bytes | None:
    """The content of a file at a revision, None where it is not there. Raises SpecError E0045 for no revision."""
    if ask("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}", folder=folder) is None:
        help = "name a commit, a branch or a tag: `git log --oneline` lists commits"
        raise SpecError([Diagnostic("E0045", f"git knows no revision `{revision}`", help=help)])
    return ask("cat-file", "blob", f"{revision}:{path}", folder=folder)


def colours() -> bool:
    """Whether git shows differences in colour, through its pager too."""
    return (ask("config", "--get-colorbool", "color.diff", "true") or b"").strip() == b"true"


def install(command: str, patterns: Sequence[str]) -> list[str]:
    """Have this repository show files through a command; what was done, a line for each. Twice is as good as once."""
    folder = top()
    said = []
    for key, value in ((f"diff.{DRIVER}.command", command), (f"diff.{DRIVER}.textconv", command)):
        if ask("config", key, value, folder=folder) is None:
            raise SpecError([Diagnostic("E0045", f"git cannot set `{key}`", help=f"try `git config {key} '{value}'`")])
        said.append(f"git config {key} '{value}'")
    attributes = folder / ".gitattributes"
    before = attributes.read_text(encoding="utf-8") if attributes.exists() else ""
    missing = [line for one in patterns if (line := f"{one} diff={DRIVER}") not in before.splitlines()]
    if missing:
        start = before if before.endswith("\n") or not before else before + "\n"
        attributes.write_text(start + "".join(f"{line}\n" for line in missing), encoding="utf-8")
    said += [f".gitattributes: {one} diff={DRIVER}" for one in patterns]
    return said
