"""Runs as tasks of Ray, on this machine or on a cluster that is there already."""

import logging
import os
import signal
from collections.abc import Sequence
from typing import Any, Self

from archspec.diagnostics import Diagnostic, SpecError
from archspec.sweep import worker
from archspec.sweep.cluster import Share, imported, silent
from archspec.sweep.drive import Ended, Job
from archspec.sweep.orders import Orders, lost
from archspec.train.interrupt import Interrupted

RETRIES = 2
"""Times that a run is begun again when its worker, or its process, was killed."""

TURN = 0.5
"""Seconds between two looks at whether a signal has come."""


class OnRay:
    """Each run a task, which is begun again when its worker dies."""

    def __init__(self, share: Share, orders: Orders):
        self.share, self.orders = share, orders
        self.running: dict[Any, Job] = {}
        self.stopped = 0
        self.usual: dict[int, Any] = {}
        self.ray: Any = None
        self.said = ""

    def __enter__(self) -> Self:
        self.ray = imported()
        self.connect()
        try:
            self.look_around()
        except BaseException:
            self.ray.shutdown()
            raise
        self.usual = {one: signal.signal(one, self.stop) for one in (signal.SIGINT, signal.SIGTERM)}
        self.said = f"{self.places} runs at a time on {self.machines()}"
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self.usual.items():
            signal.signal(number, handler)
        self.ray.shutdown()

    def connect(self) -> None:
        """Join the cluster, or begin one that ends with this process."""
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # a run without GPUs is told `--device cpu`
        share = self.share
        quiet = {"logging_level": logging.ERROR, "log_to_driver": False, "include_dashboard": False}
        wanted = share.jobs * share.cpus if share.jobs else 0
        here = {"num_cpus": max(os.cpu_count() or 1, int(-(-wanted // 1)))} if wanted else {}
        try:
            if share.address is None:
                self.ray.init(address="local", **here, **quiet)
            else:
                self.ray.init(address=share.address, logging_level=logging.ERROR, log_to_driver=False)
        except (ConnectionError, RuntimeError, ValueError) as problem:
            raise silent(share.address or "local", str(problem).splitlines()[0]) from None

    def nodes(self) -> list[dict[str, Any]]:
        """The machines that are alive."""
        return [one for one in self.ray.nodes() if one["Alive"]]

    def machines(self) -> str:
        """The machines in words."""
        names = sorted({one["NodeManagerHostname"] for one in self.nodes()})
        return names[0] if len(names) == 1 else f"{len(names)} machines"

    @property
    def places(self) -> int | None:
        """As many as asked, else as many as fit, each on one machine."""
        if self.share.jobs:
            return self.share.jobs
        return sum(self.room(one["Resources"]) for one in self.nodes())

    def room(self, resources: dict[str, float]) -> int:
        """Runs that a machine has room for at a time."""
        asked = {"CPU": self.share.cpus, "GPU": self.share.gpus}
        return min(int(resources.get(name, 0) / share + 1e-9) for name, share in asked.items() if share)

    def look_around(self) -> None:
        """E0842 where no machine has room for a run, E0843 where one does not see the folder of the sweep."""
        nodes = [one for one in self.nodes() if self.room(one["Resources"])]
        if not nodes:
            message = f"no machine has {self.share.cpus:g} CPUs and {self.share.gpus:g} GPUs, as a run is to have"
            raise SpecError([Diagnostic("E0842", message, help="ask for less: `--cpus-per-run`, `--gpus-per-run`")])
        at = self.ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy
        look = self.ray.remote(num_cpus=0)(worker.look)
        asked = [
            look.options(scheduling_strategy=at(one["NodeID"], soft=False)).remote(self.orders.sight) for one in nodes
        ]
        try:
            found = self.ray.get(asked)
        except self.ray.exceptions.RayError as problem:
            message, note = "a machine cannot import archspec", str(problem).strip().splitlines()[-1]
            cure = "install it on every machine, or share the checkout that this command runs from"
            raise SpecError([Diagnostic("E0843", message, notes=(note,), help=cure)]) from None
        if blind := [self.orders.unseen(one.host) for one in found if one.code is None]:
            raise SpecError(blind)

    def start(self, job: Job) -> None:
        """Hand a run to Ray."""
        task = self.ray.remote(worker.train).options(
            num_cpus=self.share.cpus,
            num_gpus=self.share.gpus,
            max_retries=RETRIES,
            retry_exceptions=[worker.Lost],
            name=job.title,
        )
        self.running[task.remote(self.orders.order(job))] = job

    def ended(self) -> Sequence[Ended]:
        """Those whose tasks have ended."""
        while True:
            if self.stopped:
                self.end_all()
                raise Interrupted(self.stopped)
            if found := self.ray.wait([*self.running], timeout=TURN)[0]:
                return [Ended(job := self.running.pop(one), self.problems(job, one)) for one in found]

    def problems(self, job: Job, task: Any) -> Sequence[Diagnostic]:
        """What was wrong with a run."""
        try:
            report: worker.Report = self.ray.get(task)
        except self.ray.exceptions.RayError as problem:
            return [lost(job, str(problem))]
        return self.orders.problems(job, report)

    def stop(self, number: int, _frame: object) -> None:
        """Note a signal; the next one acts as usual."""
        self.stopped = number
        for one, handler in self.usual.items():
            signal.signal(one, handler)

    def end_all(self) -> None:
        """Let every run save its state and end."""
        for task in self.running:
            self.ray.cancel(task)
        while self.running:
            found, _ = self.ray.wait([*self.running], timeout=TURN)
            for task in found:
                del self.running[task]
