"""A run from its start, or from where it was left, to its result."""

import hashlib
import random
import shlex
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

import archspec
from archspec.data.batching import in_order
from archspec.data.floor import CEILINGS
from archspec.runtime import malloc
from archspec.train import batches, checkpoint, environment, folder, loop, memory, optimizer, protocol, state, weights
from archspec.train.display import Display, counted
from archspec.train.engine import Diverged, Engine, Evaluator
from archspec.train.faults import fault
from archspec.train.files import as_json, write, write_json
from archspec.train.floor import floor_of
from archspec.train.folder import Record, RunFolder
from archspec.train.health.explain import explained
from archspec.train.interrupt import Interrupted
from archspec.train.loop import Run, Stop
from archspec.train.processes import ALONE, Processes, command
from archspec.train.sink import Follow, Nobody, nobody
from archspec.train.tally import Tally
from archspec.train.task import Task


@dataclass(frozen=True)
class Machine:
    """Where a run computes."""

    device: torch.device
    malloc: str
    """What was asked of the allocator, in words."""
    processes: Processes = ALONE

    def check(self, task: Task) -> None:
        """E0006 where the largest batch of a task cannot fit."""
        memory.check_step(task, memory.free(self.device, self.processes.local[1]))

    def engine(self, task: Task) -> Engine:
        """A task's module at work here. Each process but the first draws its own numbers from now on, for dropout."""
        if number := self.processes.number:
            seed(int(np.random.SeedSequence([task.train.seed, number]).generate_state(1, np.uint64)[0]) >> 1)
        self.check(task)
        return Engine(task, self.device, self.processes)


def prepare(device: torch.device, threads: int | None, processes: Processes = ALONE) -> Machine:
    """Threads and allocator, set before a module is built or data is loaded."""
    if threads is not None:
        torch.set_num_threads(threads)
    tuned = device.type == "cpu" and malloc.tune()
    return Machine(device, "tuned" if tuned else "as installed", processes)


def seed(number: int) -> None:
    """Seed torch's generator, which draws weights and dropout, and those that a module of the user's own may ask."""
    torch.manual_seed(number)
    random.seed(number)
    np.random.seed(number % 2**32)


def start(
    task: Task,
    path: Path | None,
    machine: Machine,
    display: Display,
    options: dict[str, Any],
    follow: Follow = nobody,
    until: int | None = None,
) -> RunFolder:
    """Train a task in a new folder, and return that; `options` are kept for whoever resumes it.

    With `until` it pauses after that epoch.
    """
    engine = machine.engine(task)
    about = environment.describe(machine.device, machine.malloc)
    about |= {"processes": machine.processes.count, "options": options, "resumed": []}
    about["parameters"] = sum(one.numel() for one in task.module.parameters())
    files = {"environment.json": as_json(about), "model.py": task.code, "spec.yaml": task.spec}
    files["places.json"] = as_json(engine.watch.places)
    with opened(machine.processes, folder.created(path, task.name, files)) as made:
        note_lock(made, display)
        display.say(f"{headline(task, machine)} → {made.path}")
        for line in opening(task, engine):
            display.say(line)
        new = state.State(Tally(engine.kind))
        run = Run(engine, new, made, display, metadata(task.name, task.spec), until=until)
        collect_averages(run)
        return followed(run, follow)


def resume(
    task: Task,
    old: RunFolder,
    machine: Machine,
    display: Display,
    follow: Follow = nobody,
    until: int | None = None,
) -> RunFolder:
    """Go on with a run from its checkpoint, or from its start where it has none yet; with `until` up to that epoch."""
    engine = machine.engine(task)
    new = state.State(Tally(engine.kind))
    run = Run(engine, new, old, display, metadata(task.name, task.spec), until=until)
    with opened(machine.processes, old.writing()):
        note_lock(old, display)
        if kept := machine.processes.agree(lambda: checkpoint.latest(old, display.say)):
            run.state = state.restore(kept, engine)
            engine.freeze(run.state.epoch + 1)
        else:
            collect_averages(run)
        if machine.processes.number == 0:
            go_back(run, kept)
            note_resumption(old, machine, display)
        done = f"epoch {run.state.epoch + 1}, step {run.state.step + 1}"
        display.say(f"{headline(task, machine)}, going on at {done} → {old.path}")
        return followed(run, follow)


def go_back(run: Run, kept: checkpoint.Kept | None) -> None:
    """Take back what is in the folder that the checkpoint does not know of."""
    old = run.folder
    if kept:
        loop.write_weights(old, run.metadata, kept)
    old.done.unlink(missing_ok=True)
    old.checkpoints.mkdir(exist_ok=True)
    old.cut_back(run.state.epoch)
    old.forget(run.state.epoch, run.state.step)
    write_json(old.places, run.engine.watch.places)
    write(old.spec, run.engine.task.spec)


@contextmanager
def opened(processes: Processes, ours: AbstractContextManager[RunFolder]) -> Iterator[RunFolder]:
    """The folder that process 0 writes; the others know no more than its path."""
    if processes.number == 0:
        with ours as made:
            processes.agree(lambda: made.path)
            yield made
    else:
        yield RunFolder(processes.agree(Path))


def note_lock(held: RunFolder, display: Display) -> None:
    """Tell where two processes could write one folder."""
    if held.lock.missing:
        display.say(f"note: this file system has no locks ({held.lock.missing}): start no second run in {held.path}")


def mend(old: RunFolder, about: dict[str, str], display: Display) -> None:
    """Write the weights of a finished run anew, from its checkpoint, where their files are missing or damaged."""
    broken = [which for which in ("last", "best") if not weights.is_sound(old.weights(which))]
    if broken and (kept := checkpoint.latest(old, display.say)):
        with old.writing():
            loop.write_weights(old, about, kept)
        display.say(f"wrote anew from the checkpoint: {' and '.join(str(old.weights(one)) for one in broken)}")


def collect_averages(run: Run) -> None:
    """Fill in what the spec takes from the training set as a whole, before the first step."""
    engine, train = run.engine, run.engine.task.data.train
    if found := engine.collect(train.batches(engine.share(in_order(train, engine.eval_size)))):
        run.display.say(f"{counted(found, 'average')} of the training set from {counted(len(train), 'graph')}")


def note_resumption(old: RunFolder, machine: Machine, display: Display) -> None:
    """Keep what the run goes on with, and tell what may change its bits."""
    before, now = old.told(), environment.describe(machine.device, machine.malloc)
    changed = environment.differences(before, now)
    if changed:
        display.say(
            "note: the last bits may differ from an unbroken run, since these have changed: " + "; ".join(changed)
        )
    write_json(old.environment, before | {"resumed": [*before.get("resumed", []), now]})


def headline(task: Task, machine: Machine) -> str:
    """What is trained, in one line."""
    parameters = counted(sum(one.numel() for one in task.module.parameters()), "parameter")
    if frozen := sum(one.numel() for one in task.module.parameters() if not one.requires_grad):
        parameters += f" ({frozen:,} frozen)"
    device = str(machine.device)
    if machine.device.type == "cpu":
        device += f" with {counted(torch.get_num_threads(), 'thread')}"
    if (processes := machine.processes.count) > 1:
        device += f", {processes} processes with a batch of {task.batch_size} each"
    work = f"{counted(len(task.data.train), 'graph')} of {task.data.name}, {counted(task.train.epochs, 'epoch')}"
    return f"{task.name}: {parameters}, {work}, on {device}"


def opening(task: Task, engine: Engine) -> list[str]:
    """What is to be known of a run when it starts, in lines."""
    weights_apart = optimizer.told(task.module, task.train.optimizer)
    return [aim(task), *protocol.told(task.protocol), *batches.lines(engine), *weights_apart]


def aim(task: Task) -> str:
    """What it is trained for, in one line."""
    facts, train = task.data.facts, task.train
    chosen = f"best epoch by {train.monitor or facts.score}" if train.select == "best" else "the last epoch counts"
    means = ", scores are means over batches" if train.averaging == "batch" else ""
    options = "".join(f", {key} {value}" for key, value in train.loss_options.items())
    return f"{facts.task}, loss {train.loss or facts.loss}{options}, {chosen}{means}"


def metadata(name: str, spec: str) -> dict[str, str]:
    """What stands in the weight files."""
    digest = hashlib.sha256(spec.encode()).hexdigest()
    return {"archspec": archspec.__version__, "name": name, "spec": spec, "spec_sha256": digest}


def followed(run: Run, follow: Follow) -> RunFolder:
    """Train to the end while a sink follows."""
    run.sink = follow(run.folder, run.display.say) if run.engine.processes.number == 0 else Nobody()
    try:
        return finish(run)
    finally:
        run.sink.close()


def finish(run: Run) -> RunFolder:
    """Train to the end and write `done.json`, also where the run diverged: going on would diverge again."""
    try:
        why = loop.fit(run)
    except Diverged as problem:
        conclude(run, Stop("diverged", problem.diagnostics[0].message))
        if run.engine.processes.number > 0:
            raise
        raise explained(problem, run.engine, run.folder) from problem
    except Interrupted:
        run.display.say(f"stopped in epoch {run.state.epoch + 1} after step {run.state.step}, and saved as it is")
        again = f"{command(run.engine.processes.count)} --resume {shlex.quote(str(run.folder.path))}"
        run.display.say(f"go on with: {again}")
        raise
    conclude(run, why)
    return run.folder


def conclude(run: Run, why: Stop) -> None:
    """Write `done.json`."""
    diverged = why.reason == "diverged"
    records = {record["epoch"]: record for record in run.engine.processes.agree(run.folder.records)}
    tests = {} if diverged else missing_tests(run, records)
    if run.engine.processes.number == 0:
        floor = None if diverged else floor_of(run.engine.kind, run.engine.task.data)
        write_json(run.folder.done, summarise(run, why, records, tests) | {"floor": floor})


def summarise(run: Run, why: Stop, records: dict[int, Record], tests: dict[int, Any]) -> Record:
    """The content of `done.json`: scores of the best and of the last epoch, and what to hold them against."""
    task, best = run.engine.task, run.state.best.epoch if run.state.best else None
    ceiling = CEILINGS.get(task.data.name)
    return {
        "name": task.name,
        "reason": why.reason,
        "stopped": why.text,
        "epochs": run.state.epoch,
        "seconds": run.state.elapsed,
        "seconds_per_epoch": run.state.elapsed / max(1, run.state.epoch),
        "parameters": sum(one.numel() for one in task.module.parameters()),
        "spec_sha256": run.metadata["spec_sha256"],
        "best": chosen(records, best, tests),
        "last": chosen(records, run.state.epoch, tests),
        "select": task.train.select,
        "score": run.engine.kind.score,
        "protocol": dict(task.protocol),
        "ceiling": {"acc": ceiling.acc, "deviation": ceiling.deviation, "what": ceiling.what} if ceiling else None,
    }


def chosen(records: dict[int, Record], epoch: int | None, tests: dict[int, Any]) -> Record | None:
    """The scores of one epoch on all splits."""
    record = records.get(epoch) if epoch is not None else None
    if record is None:
        return None
    test = record.get("test") or tests.get(record["epoch"])
    return {"epoch": record["epoch"], "train": record["train"], "val": record["val"], "test": test}


def missing_tests(run: Run, records: dict[int, Record]) -> dict[int, Any]:
    """Test scores of the best and of the last epoch where they were not taken on the way."""
    found: dict[int, Any] = {}
    best = run.state.best.epoch if run.state.best else None
    if run.state.epoch in records and "test" not in records[run.state.epoch]:
        found[run.state.epoch] = test(run)
    if best in records and best not in found and "test" not in records[best] and run.state.best:
        last = state.copy_weights(run.engine.module)
        run.engine.module.load_state_dict(run.state.best.weights)
        found[best] = test(run)
        run.engine.module.load_state_dict(last)
    return found


def test(run: Run) -> Any:
    """The test scores of the module as it is."""
    run.display.say("scoring the test split")
    return run.engine.scores(run.engine.task.data.test, lambda: None)


def load_weights(evaluator: Evaluator, old: RunFolder, which: str) -> dict[str, str]:
    """Put the best or the last weights of a run into a module; what their file says about itself."""
    path = folder.checkpoint(old, old.weights(which))
    found, about = weights.load(path)
    own = evaluator.module.state_dict()
    wrong = sorted(set(own) ^ set(found)) or [name for name in own if own[name].shape != found[name].shape]
    if wrong:
        message = f"the weights do not fit the run's own spec: `{wrong[0]}` differs"
        raise fault("E0616", message, path, "use the archspec that the run was made with")
    evaluator.module.load_state_dict(found)
    return about
