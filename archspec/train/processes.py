"""The processes that train one model together: one alone, or those that `torchrun` has started.

At every step each has a batch of its own, of `data.batch_size`, and they learn from all of these as from one. What they
tell one another is the same in all of them, to the bit: sums of gradients, of losses and of what scores are made of; so
all come to the same weights and the same decisions.
"""

import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from signal import SIGTERM
from typing import Any, Protocol, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn

from archspec.diagnostics import Diagnostic, SpecError
from archspec.runtime.processes import ProcessLost, add_up, share_norms

T = TypeVar("T")


class Processes(Protocol):
    """What a run asks of them."""

    number: int
    """Of this process, from 0; process 0 writes the run folder and talks."""
    count: int
    local: tuple[int, int]
    """The number of this process among those on this machine, and how many those are."""

    def join(self, module: nn.Module) -> None:
        """Let the norms of a module know the rows of all processes."""

    def share(self, batches: Sequence[T], nothing: T) -> Sequence[T]:
        """This process's batches of all, as many in each process: every `count`-th one, then nothing."""

    def total(self, x: Tensor) -> Tensor:
        """The sum of a tensor over the processes, without a gradient; it may be x itself, written over."""

    def add_gradients(self, gradients: Sequence[Tensor]) -> None:
        """Put the sums over the processes in place of gradients."""

    def asked(self, signal: int | None) -> int | None:
        """The signal that this process was sent, or another one where that was sent to another process."""

    def gather(self, value: T) -> list[T]:
        """The values of all processes."""

    def agree(self, work: Callable[[], T]) -> T:
        """What process 0 finds; the others do not look."""

    def in_turn(self, work: Callable[[], T]) -> T:
        """What this process finds, after process 0 has, so that what that keeps in the cache is there for all."""


class Alone:
    """One process."""

    number, count, local = 0, 1, (0, 1)

    def join(self, module: nn.Module) -> None:
        """Nothing to know."""

    def share(self, batches: Sequence[T], nothing: T) -> Sequence[T]:
        """All of them."""
        return batches

    def total(self, x: Tensor) -> Tensor:
        """As it is."""
        return x

    def add_gradients(self, gradients: Sequence[Tensor]) -> None:
        """Nothing to add."""

    def asked(self, signal: int | None) -> int | None:
        """Its own."""
        return signal

    def gather(self, value: T) -> list[T]:
        """The one there is."""
        return [value]

    def agree(self, work: Callable[[], T]) -> T:
        """What it finds."""
        return work()

    def in_turn(self, work: Callable[[], T]) -> T:
        """What it finds."""
        return work()


ALONE = Alone()


class Together:
    """The processes of torch's default group."""

    def __init__(self) -> None:
        self.number, self.count = dist.get_rank(), dist.get_world_size()
        self.local = int(os.environ.get("LOCAL_RANK", "0")), int(os.environ.get("LOCAL_WORLD_SIZE", "1"))

    def join(self, module: nn.Module) -> None:
        """Share batch norms."""
        share_norms(module)

    def share(self, batches: Sequence[T], nothing: T) -> Sequence[T]:
        """Every `count`-th one; where there is none left for some processes in the last round, nothing."""
        rounds = -(-len(batches) // self.count)
        own = batches[self.number :: self.count]
        return [*own, *[nothing] * (rounds - len(own))]

    def total(self, x: Tensor) -> Tensor:
        """By an all-reduce."""
        return add_up(x.contiguous())

    def add_gradients(self, gradients: Sequence[Tensor]) -> None:
        """All in one go."""
        flat = add_up(torch.cat([one.flatten() for one in gradients]))
        for one, part in zip(gradients, flat.split([one.numel() for one in gradients]), strict=True):
            one.copy_(part.view_as(one))

    def asked(self, signal: int | None) -> int | None:
        """SIGTERM for that of another."""
        anyone = add_up(torch.tensor(0 if signal is None else 1)).item()
        return signal or (int(SIGTERM) if anyone else None)

    def gather(self, value: T) -> list[T]:
        """As Python objects."""
        found: list[Any] = [None] * self.count
        with reaching():
            dist.all_gather_object(found, value)
        return found

    def agree(self, work: Callable[[], T]) -> T:
        """Broadcast."""
        found: list[Any] = [work() if self.number == 0 else None]
        with reaching():
            dist.broadcast_object_list(found)
        value: T = found[0]
        return value

    def in_turn(self, work: Callable[[], T]) -> T:
        """Process 0, then the others."""
        if self.number == 0:
            found = work()
            self.wait()
            return found
        self.wait()
        return work()

    def wait(self) -> None:
        """For all to come here."""
        with reaching():
            dist.barrier()


@contextmanager
def reaching() -> Iterator[None]:
    """ProcessLost for what torch says where a process cannot be reached."""
    try:
        yield
    except RuntimeError as problem:
        raise ProcessLost(str(problem).partition("\n")[0]) from problem


def command(count: int) -> str:
    """How so many processes on one machine are told to train."""
    return "archspec train" if count == 1 else f"torchrun --nproc-per-node {count} -m archspec train"


PATIENCE = timedelta(hours=12)
"""How long processes wait for process 0 while it generates or reads data."""


@contextmanager
def joined() -> Iterator[Processes]:
    """The processes of this run: those `torchrun` has started, else this one alone.

    Where another one ends, process 0 says so (E0662) and the others leave quietly, since what was wrong is told by the
    one that had it.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield ALONE
        return
    ours = not dist.is_initialized()
    if ours:
        backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
        dist.init_process_group(backend, timeout=PATIENCE)
    together = Together()
    try:
        yield together
    except ProcessLost as problem:
        if together.number:
            raise SystemExit(1) from None
        cure = f"mend what it said, then go on: `{command(together.count)} --resume RUN`"
        message = "another process of this run has ended"
        note = re.sub(r"^\[.*?\] |\. .*", "", str(problem))  # gloo's place in its source, and its advice
        raise SpecError([Diagnostic("E0662", message, notes=(note,), help=cure)]) from problem
    finally:
        if ours:
            dist.destroy_process_group()
