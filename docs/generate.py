"""Writes the parts of the documentation that are made from the code and from the commands themselves.

    python docs/generate.py            writes them
    python docs/generate.py --check    names the pages that are out of date and exits with 1

A part stands between `<!-- generated: NAME -->` and `<!-- end -->`. NAME is a row of PARTS, `spec` and the name of one
that comes with archspec, `file` and a path, or `$ ` and a command, whose output the part is.
"""

import ast
import inspect
import io
import os
import re
import runpy
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import chdir, redirect_stderr, redirect_stdout, suppress
from pathlib import Path
from unittest.mock import patch

from archspec.check.primitives import signature
from archspec.commands.main import run
from archspec.cost.parameters import count
from archspec.ir.ops import OPERATIONS, PRIMITIVES, Operation
from archspec.notation.diagram import diagram
from archspec.notation.svg import svg
from archspec.passes.forms import FORMS
from archspec.passes.optimise import PASSES
from archspec.pipeline import build, compile_spec
from archspec.syntax import protocols
from archspec.syntax.load import load_spec, shipped_specs
from archspec.syntax.mistakes import OTHERS, UNREADABLE
from archspec.syntax.spec import Spec
from archspec.train.health.signs import SIGNS, Sign

ROOT = Path(__file__).resolve().parent.parent
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
SETTINGS = ROOT / "docs" / "settings.md"
"""The one page that is made as a whole, by the program beside it."""

PART = re.compile(r"(<!-- generated: (.+?) -->\n).*?(<!-- end -->)", re.DOTALL)


def table(*rows: tuple[str, ...]) -> str:
    """A Markdown table; the first row is its head."""
    lines = [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows]
    return "\n".join([lines[0], "|" + "---|" * len(rows[0]), *lines[1:]])


def primitives() -> str:
    """Every primitive that a spec can call: how it is written, what it computes, whose it is."""
    rows = [(f"`{signature(row.name, row.arguments or ())}`", row.doc, source(row)) for row in PRIMITIVES.values()]
    return table(("primitive", "what it computes", "source"), *rows)


def source(row: Operation) -> str:
    """The paper, else the function of torch."""
    function = row.torch.partition("(")[0].replace("F.", "torch.nn.functional.")
    return row.source or (f"`{function}`" if function.startswith("torch.") else "")


def library() -> str:
    """The files of the standard library, as they are."""
    files = sorted((ROOT / "archspec" / "library").glob("*.yaml"))
    return "\n\n".join(f"`{file.name}`\n\n```yaml\n{file.read_text(encoding='utf-8').strip()}\n```" for file in files)


def equations() -> str:
    """Mistakes in equations, from the table that is also the parser's."""
    rows = [(row.code, row.message.format(found="…"), row.help.format(found="…"), example(row.examples))
            for row in sorted((*UNREADABLE, *OTHERS), key=lambda row: row.code)]  # fmt: skip
    return table(("code", "meaning", "cure", "such as"), *rows)


def example(texts: tuple[str, ...]) -> str:
    """The first text that fits into a cell."""
    short = [" ⏎ ".join(text.split("\n")) for text in texts if 0 < len(text.strip()) < 40 and "`" not in text]
    return f"`{short[0]}`" if short else ""


def pipeline() -> str:
    """The compiler."""
    return f"```python\n{inspect.getsource(compile_spec)}\n\n{inspect.getsource(build)}```"


ORDER = (
    *("source.py", "diagnostics.py", "syntax", "library", "notation", "ir", "facts", "check", "passes", "cost"),
    *("compare", "structure", "runtime", "emit", "reference", "data", "train"),
    *(
        "pipeline.py",
        "equal",
        "interface",
        "editor",
        "track",
        "runs",
        "statistics",
        "export",
        "report",
        "sweep",
        "bisect",
        "commands",
    ),
)
"""Folders and files of the package, each above those that may import from it."""


def modules() -> str:
    """Every module by its docstring's first line."""
    rows = []
    for name in ORDER:
        path = ROOT / "archspec" / name
        rows.append((f"**{name}/**", first_line(path / "__init__.py")) if path.is_dir() else (name, first_line(path)))
        inside = sorted(path.rglob("[!_]*.py"))
        rows += [(f"&nbsp;&nbsp;{one.relative_to(path).as_posix()}", first_line(one)) for one in inside]
    return table(("module", "what it holds"), *rows)


def first_line(path: Path) -> str:
    """The first line of a module's docstring."""
    return (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").partition("\n")[0]


def passes() -> str:
    """The passes in order, each by the first line of its module's docstring."""
    found = [sys.modules[one.__module__] for one in PASSES]
    lines = [f"{one.__name__.rpartition('.')[2]}: {(one.__doc__ or '').partition(chr(10))[0]}" for one in found]
    return "\n".join(f"{number}. *{line.replace(':', '*:', 1)}" for number, line in enumerate(lines, 1))


def forms() -> str:
    """The forms of every fused operation."""
    rows = [(f"`{op}`", OPERATIONS[op].doc, f"`{form.backend}`", ", ".join(form.sets), f"`{form.function}`")
            for op, known in FORMS.items() for form in known]  # fmt: skip
    return table(("operation", "what it computes", "form", "sets", "function of the runtime"), *rows)


def specs() -> str:
    """Every spec that comes with archspec, an ablation below the spec it extends."""
    found = {path.stem: load_spec(path) for path in shipped_specs().values()}
    bases = {name: base_of(path) for name, path in shipped_specs().items()}
    rows = [spec_row(name, found[name], depth) for name, depth in family("", bases, 0)]
    return table(("spec", "what it is", "lines of `model`", "parameters"), *rows)


def base_of(path: Path) -> str:
    """The name of the spec that a file extends, or nothing."""
    base = re.search(r"^extends: (\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    return base[1] if base else ""


def family(base: str, bases: Mapping[str, str], depth: int) -> list[tuple[str, int]]:
    """The specs that extend one, each before those that extend it, with their depth."""
    children = [name for name, own in bases.items() if own == base]
    return [row for name in children for row in ((name, depth), *family(name, bases, depth + 1))]


def spec_row(name: str, found: Spec, depth: int) -> tuple[str, ...]:
    """A spec's row: its file, what it says of itself, its own lines of equations, its parameters."""
    text = (ROOT / "specs" / f"{name}.yaml").read_text(encoding="utf-8")
    model = re.search(r"^model:.*\n(?:(?: .*)?\n)*", text + "\n", re.MULTILINE)
    lines = [line for line in (model[0] if model else "").splitlines() if line.strip() and line.strip()[0] != "#"]
    size = f"{count(compile_spec(found).program):,}"
    return (
        f"{'&nbsp;&nbsp;' * depth}[{name}](../specs/{name}.yaml)",
        found.settings.about or "",
        str(len(lines)),
        size,
    )


def published() -> str:
    """Every published protocol: what it sets, a row for every data set."""
    return "\n\n".join(f"### `{name}`\n\n{protocol(name)}" for name in protocols.names())


def protocol(name: str) -> str:
    """The file of a protocol: its comment, and a table of what it sets for every data set."""
    document = protocols.document(name)
    lines = (protocols.FOLDER / f"{name}.yaml").read_text(encoding="utf-8").splitlines()
    comment = " ".join(line.removeprefix("# ") for line in lines if line.startswith("#"))
    rows = [
        (f"`{data}`", str(made["data"]["batch_size"]), str(train["epochs"]), flow(train["optimizer"]),
         flow(train["schedule"]), f"`{train['loss']}`", flow({"clip": train["clip"]}), f"`{train['monitor']}`")
        for data, found in protocols.data_sets(document).items()
        for made in [found.plain] for train in [made["train"]]
    ]  # fmt: skip
    head = ("data set", "batch", "epochs", "optimiser", "schedule", "loss", "clip", "score")
    common = next(iter(protocols.data_sets(document).values())).plain["train"]
    said = f"Seeds {common['seeds']}, `select: {common['select']}`, `averaging: {common['averaging']}`."
    return f"{comment}\n\n{said}\n\n{table(head, *rows)}"


def flow(settings: dict) -> str:
    """Settings in short, the values alone behind the name."""
    name, rest = settings.get("name"), {key: value for key, value in settings.items() if key != "name"}
    said = ", ".join(f"{key} {value}" if len(settings) > 1 else str(value) for key, value in rest.items())
    return f"{name}: {said}" if name else said.replace("None", "none")


def exports() -> str:
    """What `benchmarks/exports.py` found."""
    return (ROOT / "benchmarks" / "results" / "exports.md").read_text(encoding="utf-8").strip()


def through_git() -> str:
    """What setting up git says, and what git then shows of two commits, in a repository made for it."""
    steps = ROOT / "docs" / "examples" / "steps"
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        environment = without_git(place)
        (place / "repository").mkdir()

        def at(command: str) -> str:
            words, here = shlex.split(command), place / "repository"
            return subprocess.run(words, cwd=here, env=environment, capture_output=True, text=True, check=True).stdout

        for command in ("git init -q", "git config user.name a", "git config user.email a@example.org"):
            at(command)
        shutil.copy(steps / "gin.yaml", place / "repository")
        text = (steps / "sigmoid_eps.yaml").read_text(encoding="utf-8")
        for change in (text, text.replace("sum[j in N](x[j])", "relu(sum[j in N](x[j]))")):
            (place / "repository" / "mine.yaml").write_text(change, encoding="utf-8")
            at("git add .")
            at("git commit -q -m step")
        shown = ("archspec diff --git --install", "git diff HEAD~1")
        return "\n".join(["```console", *(f"$ {one}\n{at(one).rstrip()}" for one in shown), "```"])


def without_git(place: Path) -> dict[str, str]:
    """An environment in which `archspec` is this checkout's, and git has no settings of the user's."""
    shim = place / "bin" / "archspec"
    shim.parent.mkdir()
    shim.write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m archspec "$@"\n', encoding="utf-8")
    shim.chmod(0o755)
    path = {"PATH": f"{shim.parent}{os.pathsep}{os.environ['PATH']}"}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return kept | path | {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}


def signs() -> str:
    """What the monitor tells, from its own table."""
    rows = [(f"`{one.name}`", one.measure, f"{one.threshold:g}, {times(one)}", one.why) for one in SIGNS.values()]
    return table(("sign", "what is measured", "told above", "why there"), *rows)


def times(sign: Sign) -> str:
    """How often in a row it has to be there."""
    unit = {"explosion": "step", "flips": "epoch"}.get(sign.name, "look")
    return f"at a {unit}".replace("a e", "an e") if sign.times == 1 else f"at {sign.times} {unit}s in a row"


PARTS: Mapping[str, Callable[[], str]] = {
    "specs": specs,
    "primitives": primitives,
    "library": library,
    "equations": equations,
    "pipeline": pipeline,
    "modules": modules,
    "passes": passes,
    "forms": forms,
    "git": through_git,
    "protocols": published,
    "signs": signs,
    "exports": exports,
}


QUIET = ("archspec data ", "archspec receptive ")
"""Commands that may say on the side that they generate data, which depends on what this machine has cached."""


def output(command: str) -> str:
    """A command and what it prints, as a block; it is run in this process, which spares it the start."""
    program, *arguments = shlex.split(command)
    if program != "archspec":
        raise ValueError(f"only commands of archspec can be shown, not `{command}`")
    printed, noted = io.StringIO(), io.StringIO()
    with (
        redirect_stdout(printed),
        redirect_stderr(noted),
        chdir(ROOT),
        patch.dict(os.environ, COLUMNS="100"),
        suppress(SystemExit),
    ):
        run(arguments)
    said = printed.getvalue() + ("" if command.startswith(QUIET) else noted.getvalue())
    text = "\n".join(line.rstrip() for line in said.rstrip().split("\n"))
    return f"```console\n$ {command}\n{text}\n```"


def spec(name: str) -> str:
    """A spec that comes with archspec, without the comment at its head."""
    text = (ROOT / "specs" / f"{name}.yaml").read_text(encoding="utf-8")
    body = re.sub(r"\A(#.*\n)*", "", text).strip()
    return f"```yaml\n{body}\n```"


def file(name: str) -> str:
    """A file of the repository, whole."""
    return f"```yaml\n{(ROOT / name).read_text(encoding='utf-8').strip()}\n```"


def ablation(text: str) -> str:
    """A table of runs: the name of one of the functions of `ablations.py` and what it is given."""
    name, *arguments = text.split(" ")
    return runpy.run_path(str(ROOT / "docs" / "ablations.py"))[name](*arguments)


FORMS_OF_PART: Mapping[str, Callable[[str], str]] = {
    "$ ": output,
    "spec ": spec,
    "file ": file,
    "ablation ": ablation,
}
"""How a part begins that has an argument."""


def part(name: str) -> str:
    """The text of a part."""
    for start, make in FORMS_OF_PART.items():
        if name.startswith(start):
            return make(name.removeprefix(start))
    return PARTS[name]()


def fresh(text: str) -> str:
    """A page with all its generated parts as they should be."""
    return PART.sub(lambda found: f"{found[1]}{part(found[2])}\n{found[3]}", text)


PICTURES = ROOT / "docs" / "pictures"
"""Diagrams of specs that come with archspec, each named after its own."""


def made() -> Iterator[tuple[Path, str]]:
    """Every page and every picture with its text as it should be."""
    for page in PAGES:
        whole = page == SETTINGS
        yield (
            page,
            runpy.run_path(str(SETTINGS.with_suffix(".py")))["page"]() if whole else fresh(page.read_text("utf-8")),
        )
    for picture in sorted(PICTURES.glob("*.svg")):
        yield picture, svg(diagram(load_spec(picture.stem)))


def main(arguments: list[str]) -> int:
    """Write the pages and pictures, or name those that are out of date."""
    checking = "--check" in arguments
    stale = 0
    for path, new in made():
        if new != path.read_text(encoding="utf-8"):
            stale += 1
            print(f"{path.relative_to(ROOT)}: {'out of date' if checking else 'written'}")
            if not checking:
                path.write_text(new, encoding="utf-8")
    return 1 if stale and checking else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
