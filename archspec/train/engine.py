"""One step of training and the evaluation of a split."""

import math
from collections.abc import Callable, Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from archspec.data.load import Split
from archspec.diagnostics import Diagnostic, SpecError
from archspec.runtime.batch import Batch
from archspec.train import optimizer as optimizers
from archspec.train import schedule as schedules
from archspec.train.device import open_fabric, place_batch
from archspec.train.metrics import Scores, Tally, batch_loss, counts
from archspec.train.task import Task


class Diverged(SpecError):
    """A loss, a gradient or a parameter is no longer a finite number."""


class Engine:
    """A task's module, optimiser and schedule on a device.

    `module` is the user's own module: its parameters have their own names. `wrapped` is the same one behind Fabric,
    and only its forward is used.
    """

    def __init__(self, task: Task, device: torch.device):
        self.task, self.settings, self.device, self.module = task, task.train, device, task.module
        self.fabric = open_fabric(device, self.settings.precision)
        self.classes = task.data.classes
        self.steps = -(-len(task.data.train) // task.batch_size)
        made = optimizers.make(self.module.parameters(), self.settings.optimizer, task.place)
        self.wrapped, self.optimizer = self.fabric.setup(self.module, made)
        self.schedule = schedules.make(made, self.settings, self.steps, task.place)
        self.weighted = self.settings.loss == "weighted_cross_entropy"

    @property
    def rate(self) -> float:
        """The learning rate of the last step."""
        return float(self.optimizer.param_groups[0]["lr"])

    def measure(self, batch: Batch) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Logits [nodes, classes], -log p [nodes], class [nodes] and nodes per class [classes] of a batch."""
        placed = place_batch(batch, self.device, self.settings.precision)
        assert placed.y is not None  # data sets for training have targets
        logits = self.wrapped(placed)
        return logits, F.cross_entropy(logits, placed.y, reduction="none"), placed.y, counts(placed.y, self.classes)

    def step(self, batch: Batch, number: int, tally: Tally) -> tuple[float, float]:
        """One step of training, the run's `number`-th from 0; the loss and the gradient's norm before clipping."""
        self.schedule.before_step(number)
        self.optimizer.zero_grad()
        logits, nll, y, count = self.measure(batch)
        loss = batch_loss(nll, y, count, self.weighted)
        self.fabric.backward(loss)
        norm = self.gradient_norm()
        value, length = torch.stack([loss.detach().double(), norm.double()]).tolist()  # one wait for the device
        self.check(value, length, number)
        self.optimizer.step()
        tally.add(logits.detach(), nll.detach(), y, count)
        return value, length

    def gradient_norm(self) -> Tensor:
        """The norm of the whole gradient before it is clipped, if it is."""
        if self.settings.clip is not None:
            norm = self.fabric.clip_gradients(
                self.wrapped, self.optimizer, max_norm=self.settings.clip, error_if_nonfinite=False
            )
            return torch.as_tensor(norm)
        return nn.utils.get_total_norm(one.grad for one in self.module.parameters() if one.grad is not None)

    def check(self, loss: float, norm: float, number: int) -> None:
        """Stop before a step that would spoil the weights."""
        if math.isfinite(loss) and math.isfinite(norm):
            return
        epoch, step = divmod(number, self.steps)
        what = "gradient" if torch.isfinite(torch.tensor(loss)) else "loss"
        raise self.diverged(
            f"the {what} became {loss if what == 'loss' else norm} in epoch {epoch + 1}, step {step + 1}"
        )

    def diverged(self, message: str) -> Diverged:
        """The error of a run that diverged, naming the first tensor that is not finite."""
        notes = (found,) if (found := first_spoilt(self.module)) else ()
        cure = (
            "start again with a smaller `train.optimizer.lr` or with `train.clip`, for example `--set train.clip=1.0`"
        )
        return Diverged([Diagnostic("E0620", message, self.task.place("train", "optimizer"), notes=notes, help=cure)])

    def scores(self, split: Split, watch: Callable[[], None]) -> Scores:
        """Loss, recalls and their mean over a whole split in evaluation mode; `watch` is called after every batch."""
        tally = Tally(self.classes)
        for _batch, logits, nll, y, count in self.outputs(split):
            tally.add(logits, nll, y, count)
            watch()
        return tally.scores(self.weighted)

    def outputs(self, split: Split) -> Iterator[tuple[Batch, Tensor, Tensor, Tensor, Tensor]]:
        """Every batch of a split in order and what `measure` makes of it, without gradients and without dropout."""
        self.module.eval()
        with torch.no_grad():  # not inference mode: what a batch caches may be used in training later
            for batch in split.batches(self.settings.eval_batch_size, None):
                yield batch, *self.measure(batch)


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
