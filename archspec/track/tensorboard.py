"""TensorBoard: event files in the run folder, written anew when a run is resumed, so that they say what it recorded."""

import shlex
import shutil

from tensorboard.summary import Writer

from archspec.track.about import About, figures
from archspec.track.tracker import SENT, Memory
from archspec.train.folder import Record


class TensorBoard:
    """`tensorboard --logdir runs` shows every run below that folder. Steps are epochs."""

    def begin(self, about: About, memory: Memory) -> str:
        """Begin an empty folder of events."""
        path = about.folder.path / "track" / "tensorboard"
        shutil.rmtree(path, ignore_errors=True)
        memory[SENT] = 0
        self.writer = Writer(str(path))
        return f"tensorboard: `tensorboard --logdir {shlex.quote(str(about.folder.path.parent))}` shows it"

    def epoch(self, record: Record) -> None:
        """Write every figure, so that it can be looked at while the run goes on."""
        for name, value in figures(record).items():
            self.writer.add_scalar(name, value, record["epoch"])
        self.writer.flush()

    def end(self, result: Record | None) -> str:
        """Close the file."""
        self.writer.close()
        return ""
