"""trackio: a local dashboard without an account; figures go to a SQLite file in its own folder (`TRACKIO_DIR`)."""

import secrets
import shlex

import trackio

from archspec.track.about import About, figures
from archspec.track.tracker import Memory
from archspec.train.folder import Record


class Trackio:
    """`trackio show` opens the dashboard. Steps are epochs."""

    def begin(self, about: About, memory: Memory) -> str:
        """Open a run under the folder's name, or the one that is remembered."""
        project = memory.setdefault("project", about.trackio.project)
        resume = "allow" if "name" in memory else "never"
        # trackio resumes by name, and folders at two places may have one name
        name = memory.setdefault("name", f"{about.title}-{secrets.token_hex(2)}")
        config = about.parameters()
        trackio.init(project, name, config=config, resume=resume, auto_log_gpu=False, auto_log_cpu=False)
        return f"trackio: `trackio show --project {shlex.quote(project)}` shows it"

    def epoch(self, record: Record) -> None:
        """Send every figure."""
        trackio.log(figures(record), step=record["epoch"])

    def end(self, result: Record | None) -> str:
        """Wait until everything is written."""
        trackio.finish()
        return ""
