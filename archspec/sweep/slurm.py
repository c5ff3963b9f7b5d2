"""Whether Slurm and submitit are there, and what is asked of Slurm for a run, before anything is compiled. No torch."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from archspec.check.suggest import nearest
from archspec.diagnostics import Diagnostic, SpecError

DAY = 24 * 60
"""Minutes that a run may take where nothing is said of it."""

TOOLS = ("sbatch", "squeue", "srun")
"""Commands of Slurm that are needed."""

OWN = {"setup", "teardown", "srun_args", "use_srun", "additional_parameters", "signal_delay_s", "job_name", "array"}
"""What submitit takes besides options of Slurm, and what is not for a user to say."""


GPUS = ("gpus_per_node", "gpus_per_task", "gres", "gpus")
"""Options that ask for GPUs."""


@dataclass(frozen=True)
class Request:
    """What a run is to have."""

    cpus: int | None
    gpus: float | None
    jobs: int | None
    """Runs at a time at most."""
    said: Mapping[str, Any] = field(default_factory=dict)
    """Options of `sbatch` by their names."""

    @property
    def has_gpu(self) -> bool:
        """Whether it is to have a GPU."""
        return bool(self.gpus) or any("gpu" in f"{key}={value}" for key, value in self.said.items() if key in GPUS)

    def parameters(self, threads: int, name: str) -> dict[str, Any]:
        """As submitit takes them."""
        known = known_options()
        found: dict[str, Any] = {"time": DAY, "cpus_per_task": self.cpus or threads, "job_name": name}
        found |= {"gpus_per_node": int(self.gpus)} if self.gpus else {}
        found |= {"array_parallelism": self.jobs} if self.jobs else {}
        found |= {key: value for key, value in self.said.items() if key in known}
        others = {key.replace("_", "-"): value for key, value in self.said.items() if key not in known}
        return found | ({"additional_parameters": others} if others else {})


def imported() -> Any:
    """submitit. E0841 where it is not there."""
    try:
        import submitit
    except ModuleNotFoundError as problem:
        if problem.name != "submitit":
            raise
        cure = '`pip install "archspec-nn[slurm]"`'
        raise SpecError(
            [Diagnostic("E0841", "`--on slurm` needs submitit, which is not installed", help=cure)]
        ) from None
    return submitit


def known_options() -> set[str]:
    """The options of `sbatch` that submitit knows."""
    return set(imported().SlurmExecutor._valid_parameters()) - OWN


def read(cpus: float | None, gpus: float | None, jobs: int | None, said: Sequence[str]) -> Request:
    """What was asked for. E0845 for what Slurm cannot give, or what is no `KEY=VALUE`."""
    if (gpus or 0) % 1 or (cpus or 1) % 1:
        message = "Slurm gives whole processors and whole GPUs"
        raise SpecError([Diagnostic("E0845", message, help="write whole numbers, or share a GPU with `--on ray`")])
    return Request(int(cpus) if cpus else None, gpus, jobs, dict(option(one) for one in said))


def option(text: str) -> tuple[str, Any]:
    """`partition=gpu`, numbers as numbers. E0845 for others, and for a name that is nearly one of Slurm's."""
    key, equals, value = text.partition("=")
    name, value = key.strip().lstrip("-").replace("-", "_"), value.strip()
    if not equals or not name or not value:
        message = f"`--slurm {text}` is no option with a value"
        raise SpecError([Diagnostic("E0845", message, help="write `--slurm partition=gpu`")])
    known = known_options()
    if name in OWN or (name not in known and nearest(name, known)):
        cure = nearest(name, known) if name not in OWN else "leave it out"
        raise SpecError([Diagnostic("E0845", f"`--slurm {text}`: there is no option `{name}` to give", help=cure)])
    if name == "time" and not value.isdecimal():
        raise SpecError([Diagnostic("E0845", f"`--slurm {text}`: the time is a number of minutes", help="`time=120`")])
    return name, int(value) if value.isdecimal() else value


def check() -> None:
    """E0841 where submitit is not installed, E0844 where the commands of Slurm are not there."""
    imported()
    if missing := [name for name in TOOLS if shutil.which(name) is None]:
        message = f"Slurm is not there: no `{missing[0]}` among the commands"
        cure = "give the command on a machine that hands in jobs, or leave out `--on slurm`"
        raise SpecError([Diagnostic("E0844", message, help=cure)])
