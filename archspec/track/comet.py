"""Comet: an experiment on the server where there is a key, else an archive in the run folder to be uploaded later.

The archive is always made from the run's own records, as a whole: one that a killed process left behind is replaced.
Nothing is logged but what stands in the run folder; Comet's own look at the machine, its git and its network is off.
"""

import os
import secrets
import shlex
import shutil
from typing import Any

os.environ.setdefault("COMET_DISABLE_AUTO_LOGGING", "1")  # read when comet_ml is imported: it would patch torch

import comet_ml

from archspec.syntax.schema import CometSettings
from archspec.track.about import About, figures, outcome
from archspec.track.parent import difference
from archspec.track.tracker import SENT, Memory
from archspec.train.folder import Record

QUIET: dict[str, Any] = {
    **dict.fromkeys(("log_code", "log_graph", "parse_args", "log_git_metadata", "log_git_patch"), False),
    **dict.fromkeys(("log_env_details", "log_env_gpu", "log_env_host", "log_env_cpu", "log_env_network"), False),
    **dict.fromkeys(("log_env_disk", "auto_param_logging", "auto_metric_logging", "auto_log_co2"), False),
    **{"auto_output_logging": False, "display_summary_level": 0},
}
"""Everything that Comet would find out or patch by itself, off."""

PART = ".part"
"""The folder in which Comet writes an archive; a process that is killed leaves nothing but that."""

WEIGHTS = {"best": ("best",), "last": ("last",), "both": ("best", "last"), "none": ()}
"""The files of weights that a setting names."""


class Comet:
    """One experiment, streamed to the server or collected for an archive."""

    def begin(self, about: About, memory: Memory) -> str:
        """Open the experiment under the key that is remembered; on the server if that can be, else for an archive."""
        self.about, self.settings, self.folder = about, about.comet, about.folder.path / "track" / "comet"
        self.key = memory.setdefault("key", secrets.token_hex(16))
        again = bool(memory.get("online"))
        why = "there is no key"
        if wants_server(self.settings):
            try:
                self.experiment = self.start(online=True)
                return self.opened(memory, again, online=True)
            except Exception as problem:  # whatever a server, a proxy or the library may say
                why = f"the server cannot be used ({type(problem).__name__}, see track/log.txt)"
        self.experiment = self.start(online=False)
        self.opened(memory, again=False, online=False)
        return f"comet: {why}, so the run is collected in an archive in its folder"

    def opened(self, memory: Memory, again: bool, online: bool) -> str:
        """Log what is known before the first epoch, unless the server has it; where the experiment is."""
        self.archive = None if online else self.folder / f"{self.key}.zip"
        memory["online"] = online
        if not again:
            memory[SENT] = 0
            self.describe()
        return f"comet: {self.experiment.url}"

    def start(self, online: bool) -> Any:
        """An experiment of Comet's. Raises what Comet raises, RuntimeError where it goes on without logging."""
        self.folder.mkdir(parents=True, exist_ok=True)
        config = comet_ml.ExperimentConfig(name=self.about.title, offline_directory=str(self.folder / PART), **QUIET)
        experiment = comet_ml.start(
            online=online,
            mode="get_or_create" if online else "create",
            experiment_key=self.key,
            project_name=self.settings.project,
            workspace=self.settings.workspace,
            experiment_config=config,
        )
        if not experiment.alive:
            raise RuntimeError("it does not answer")
        return experiment

    def describe(self) -> None:
        """Log settings, environment, the spec, the emitted code, and what differs from the run before."""
        experiment, folder = self.experiment, self.about.folder
        experiment.log_parameters(self.about.parameters(), nested_support=False)
        experiment.log_others(self.about.environment())
        for path in (folder.spec, folder.code):
            experiment.log_code(code=path.read_text(encoding="utf-8"), code_name=path.name)
            experiment.log_asset(str(path), file_name=path.name)
        if found := difference(self.about):
            experiment.log_other("parent", found.parent)
            experiment.log_asset_data(found.text, name="difference.txt")

    def epoch(self, record: Record) -> None:
        """Log every figure, at the run's step."""
        epoch = record["epoch"]
        self.experiment.log_metrics(figures(record), step=epoch * record["steps"], epoch=epoch)

    def end(self, result: Record | None) -> str:
        """Log the outcome, the records as files, and weights; wait until all is sent, or put the archive in place."""
        folder = self.about.folder
        self.experiment.log_others(outcome(result or {"reason": "unfinished"}))
        for path in (folder.metrics, folder.health, folder.places):
            if path.exists():
                self.experiment.log_asset(str(path), file_name=path.name, overwrite=True)
        self.log_weights()
        self.experiment.end()
        if self.archive is None:
            return ""
        written = self.folder / PART / self.archive.name
        written.replace(self.archive)
        shutil.rmtree(self.folder / PART, ignore_errors=True)
        return f"comet: with a key, `comet upload {shlex.quote(str(self.archive))}` sends it"

    def log_weights(self) -> None:
        """Log the weights that the spec asks for, as one model."""
        for path in map(self.about.folder.weights, WEIGHTS[self.settings.weights]):
            if path.exists():
                self.experiment.log_model(self.about.spec.name, str(path), file_name=path.name, overwrite=True)


def wants_server(settings: CometSettings) -> bool:
    """Whether the server is to be asked: Comet itself stops where there is no key."""
    return settings.mode == "online" or (settings.mode == "auto" and bool(comet_ml.get_config("comet.api_key")))
