"""A module at work: the evaluation of a split, and one step of training."""

import math
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from archspec.data.batching import BatchSampler, Indices, batch_size, in_order
from archspec.data.load import Split
from archspec.diagnostics import Diagnostic, SpecError
from archspec.runtime import averages
from archspec.runtime.batch import Batch
from archspec.train import kinds
from archspec.train import optimizer as optimizers
from archspec.train import schedule as schedules
from archspec.train.device import bits, open_fabric, place_batch
from archspec.train.faults import refusal
from archspec.train.generators import random_state
from archspec.train.health.failure import Failure
from archspec.train.health.looks import norms
from archspec.train.health.watch import Watch
from archspec.train.metrics import Scores
from archspec.train.processes import ALONE, Processes
from archspec.train.tally import Tally
from archspec.train.task import Task


class Diverged(SpecError):
    """A loss, a gradient or a parameter is no longer a finite number; with the batch where that was seen, if any."""

    def __init__(self, diagnostics: Iterable[Diagnostic], failure: Failure | None = None):
        super().__init__(diagnostics)
        self.failure = failure


class Step(NamedTuple):
    """What a step tells."""

    loss: float
    """The penalty included."""
    norm: float
    """Of the gradient, before clipping."""
    penalty: float


class Evaluator:
    """A task's module on a device.

    `module` is the module itself: its parameters have their own names. `wrapped` is the same one behind Fabric, and
    only its forward is used.
    """

    def __init__(self, task: Task, device: torch.device, processes: Processes = ALONE):
        self.task, self.settings, self.device, self.module = task, task.train, device, task.module
        self.processes = processes
        processes.join(self.module)
        self.fabric = open_fabric(device, self.settings.precision)
        self.wrapped = self.fabric.setup_module(self.module)
        self.penalised = hasattr(self.module, "with_penalty")
        if self.penalised:
            self.wrapped.mark_forward_method("with_penalty")
        self.eval_size = batch_size(self.settings.eval_batch_size)
        self.kind = kinds.make(task.data.facts, self.settings, torch.from_numpy(task.data.train.labels.copy()))

    def measure(self, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
        """Predictions [rows, out] of what counts in a batch, their losses and the labels."""
        placed = place_batch(batch, self.device, bits(self.settings))
        return self.judged(self.wrapped(placed), placed)

    def judged(self, prediction: Tensor, placed: Batch) -> tuple[Tensor, Tensor, Tensor]:
        """What `measure` gives, once the module has been run."""
        assert placed.y is not None  # data sets for training have targets
        y = placed.y
        if placed.mask is not None:
            prediction, y = prediction[placed.mask], y[placed.mask]
        return prediction, self.kind.entries(prediction, y), y

    def loss_of(self, output: Tensor, batch: Batch) -> Tensor:
        """The loss of a batch that was computed, a penalty left aside."""
        _, entries, y = self.judged(output, batch)
        return self.kind.loss(entries, y)

    def scores(self, split: Split, watch: Callable[[], None]) -> Scores:
        """Every score over a whole split in evaluation mode; `watch` is called after every batch of this process."""
        tally = Tally(self.kind)
        for _batch, *found in self.outputs(split):
            tally.add(*found)
            watch()
        return tally.merged(self.processes).scores()

    def outputs(self, split: Split) -> Iterator[tuple[Batch, Tensor, Tensor, Tensor]]:
        """Every batch of a split in order and what `measure` makes of it, without gradients and without dropout.

        Of several processes each has its share.
        """
        self.module.eval()
        for batch in split.batches(self.share(in_order(split, self.eval_size))):
            with torch.no_grad():  # not inference mode: what a batch caches may be used in training later
                found = self.measure(batch)
            yield batch, *found

    def share(self, batches: list[Indices]) -> Sequence[Indices]:
        """Those of this process: as many as the others have, so the last one can have no graph in it."""
        return self.processes.share(batches, np.zeros(0, np.int64))


class Engine(Evaluator):
    """A module with its optimiser and schedule."""

    def __init__(self, task: Task, device: torch.device, processes: Processes = ALONE):
        super().__init__(task, device, processes)
        self.sampler = BatchSampler(task.data.train, task.batch_size, task.buckets, self.settings.seed)
        self.steps = -(-self.sampler.steps // processes.count)
        self.freeze(sys.maxsize)  # the optimiser holds what will train one day; without a gradient it leaves it alone
        made = optimizers.make(self.module, self.settings.optimizer, task.place)
        self.freeze(1)
        if not any(one.requires_grad for one in self.module.parameters()):
            message, cure = "nothing trains in epoch 1: every parameter is frozen", "thaw one in `parameters`"
            raise refusal("E0608", message, task.place("parameters"), cure)
        self.optimizer = cast(Optimizer, self.fabric.setup_optimizers(made))
        self.schedule = schedules.make(made, self.settings, self.steps, task.place)
        self.watch = Watch(self.module, self.settings.watch, task.equations, task.place)

    def freeze(self, epoch: int) -> None:
        """Freeze and thaw the parameters as the spec has it for an epoch, counted from 1."""
        if freeze := getattr(self.module, "freeze", None):
            freeze(epoch)

    def collect(self, batches: Iterable[Batch]) -> int:
        """Fill in the averages of the training set from (this process's) batches; how many numbers those are."""
        placed = (place_batch(batch, self.device, bits(self.settings)) for batch in batches)
        return averages.collect(self.wrapped, placed, self.processes.total)

    @property
    def rate(self) -> float:
        """The learning rate of the last step."""
        return float(self.optimizer.param_groups[0]["lr"])

    def step(self, batch: Batch, number: int, tally: Tally) -> Step:
        """One step of training, the run's `number`-th from 0."""
        self.schedule.before_step(number)
        self.optimizer.zero_grad()
        placed = place_batch(batch, self.device, bits(self.settings))
        drawn = random_state() if self.watch.draws else None
        output, penalty = self.wrapped.with_penalty(placed) if self.penalised else (self.wrapped(placed), None)
        prediction, entries, y = self.judged(output, placed)
        loss = self.kind.loss(entries, y, self.processes.total)
        if penalty is not None and self.processes.count > 1:
            penalty = self.portion(penalty, placed.graphs)
        total = loss if penalty is None else loss + penalty
        self.fabric.backward(total)
        trained = [one for one in self.module.parameters() if one.grad is not None]
        self.processes.add_gradients([one.grad for one in trained if one.grad is not None])
        sizes = norms([one.grad for one in trained if one.grad is not None])
        norm = torch.linalg.vector_norm(sizes)
        told = torch.stack([one.detach().double() for one in (total, penalty) if one is not None])
        told = self.processes.total(told)
        heads = torch.cat([told[:1], norm.double().view(1), told[1:], sizes.double()])
        value, length, *rest = heads.tolist()  # one wait for the device
        epoch, step = (one + 1 for one in divmod(number, self.steps))
        self.check(value, length, Failure(placed, drawn, True, epoch, step))
        self.move(placed, trained, rest[-len(trained) :], norm, number)
        tally.add(prediction.detach(), entries.detach(), y)
        return Step(value, length, rest[0] if self.penalised else 0.0)

    def move(self, placed: Batch, trained: list[nn.Parameter], sizes: list[float], norm: Tensor, number: int) -> None:
        """The step of the optimiser, watched: `sizes` are the norms of the gradients, `norm` is that of all."""
        epoch, step = (one + 1 for one in divmod(number, self.steps))
        self.watch.step(trained, sizes, epoch, step)
        look = self.watch.look(placed, trained, sizes) if self.watch.due(number) else None
        if self.settings.clip is not None:
            nn.utils.clip_grads_with_norm_(trained, self.settings.clip, norm)
        self.optimizer.step()
        if look:
            self.watch.finish(look, epoch, step)

    def portion(self, penalty: Tensor, graphs: int) -> Tensor:
        """A penalty by the share that this process has of the graphs of all; that of no graphs may be 0/0."""
        share = graphs / self.processes.total(torch.tensor(graphs)).item()
        return (penalty if graphs else penalty.nan_to_num()) * share

    def check(self, loss: float, norm: float, failure: Failure) -> None:
        """Stop before a step that would spoil the weights."""
        if math.isfinite(loss) and math.isfinite(norm):
            return
        what = f"norm of the gradient became {norm}" if math.isfinite(loss) else f"loss became {loss}"
        raise self.diverged(f"the {what} in epoch {failure.epoch}, step {failure.step}", failure)

    def validated(self, loss: float | None, epoch: int) -> None:
        """Stop where the validation loss is not finite, with the first batch that makes it so."""
        if loss is not None:
            return
        batches = self.outputs(self.task.data.val)
        spoilt = (batch for batch, _, entries, _ in batches if not torch.isfinite(entries).all())
        found = next(spoilt, None)
        failure = None
        if found is not None:
            placed = place_batch(found, self.device, bits(self.settings))
            failure = Failure(placed, None, False, epoch, self.steps)
        raise self.diverged(f"the validation loss is not finite after epoch {epoch}", failure)

    def diverged(self, message: str, failure: Failure | None) -> Diverged:
        """The error of a run that diverged, naming the first tensor that is not finite."""
        notes = (found,) if (found := first_spoilt(self.module)) else ()
        cure = "start again with a smaller `train.optimizer.lr` or with clipping: `--set train.clip=1.0`"
        at = self.task.place("train", "optimizer")
        return Diverged([Diagnostic("E0620", message, at, notes=notes, help=cure)], failure)


def first_spoilt(module: nn.Module) -> str:
    """The first parameter or buffer, then the first gradient, that is not finite, in the order of the module."""
    tensors = [*module.named_parameters(), *module.named_buffers()]
    for name, tensor in tensors:
        if tensor.is_floating_point() and not torch.isfinite(tensor).all():
            return f"the first that is not finite is `{name}`"
    for name, parameter in module.named_parameters():
        if parameter.grad is not None and not torch.isfinite(parameter.grad).all():
            return f"every parameter is finite; the first gradient that is not is that of `{name}`"
    return ""
