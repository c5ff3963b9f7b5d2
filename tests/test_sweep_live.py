"""The table while a sweep runs: states, epochs and scores as the run folders have them."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from archspec.diagnostics import Diagnostic
from archspec.sweep.drive import Ended, Job
from archspec.sweep.file import read_sweep
from archspec.sweep.folder import SweepFolder
from archspec.sweep.live import Board, LiveBoard
from archspec.train.files import write_json
from tests.test_sweep import TINY, planned
from tests.test_train_commands import SPEC


def record(epoch: int, acc: float) -> dict[str, object]:
    return {"epoch": epoch, "val": {"acc": acc}, "seconds": 1.0, "seconds_scoring": 1.0}


@pytest.fixture
def board(tmp_path: Path) -> Board:
    (tmp_path / "tiny.yaml").write_text(SPEC)
    cells = planned(tmp_path, TINY)
    folder = SweepFolder(tmp_path / "runs", [41, 95])
    for one in cells:
        for seed in folder.seeds:
            folder.run(one, seed).path.mkdir(parents=True, exist_ok=True)
    return Board(read_sweep(tmp_path / "sweep.yaml"), folder, cells, "acc")


def shown(board: Board, height: int = 40) -> list[list[str]]:
    file = io.StringIO()
    console = Console(file=file, force_terminal=True, width=120, height=height, color_system=None)
    console.print(LiveBoard(board, console).drawn())
    return [line.split() for line in file.getvalue().splitlines() if line.strip()]


def test_states_epochs_and_scores(board):
    assert [one[:2] for one in shown(board)] == [["layer", "state"], ["sum", "queued"], ["mean", "queued"]]
    first, other = board.cells
    jobs = [Job(first, seed, board.folder.group(first)) for seed in (41, 95)]
    for job in jobs:
        board.begins(job)
    jobs[0].run.append(record(1, 0.75))
    jobs[0].run.append(record(2, 0.5))
    jobs[1].run.append(record(1, 0.25))
    running = "sum running 50.00 0/2 done, seed 41 epoch 3/3, left 0:02, seed 95 epoch 2/3, left 0:04"
    assert shown(board)[1] == running.split(" ")

    jobs[0].run.append(record(3, 1.0))  # the file has grown, so it is read again
    write_json(jobs[0].run.done, {"reason": "epochs"})
    board.ended(Ended(jobs[0]))
    board.ended(Ended(jobs[1], [Diagnostic("E0643", "it has ended")]))
    job = Job(other, 41, board.folder.group(other))
    board.begins(job)
    assert [one[:2] for one in shown(board)[1:]] == [["mean", "running"], ["sum", "failed"]]
    assert shown(board)[2][2:] == ["62.50", "1/2", "done"]

    board.cells = board.cells * 4  # more than the terminal has lines for
    assert shown(board, 11)[-1] == ["5", "more", "cells"]
