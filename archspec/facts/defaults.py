"""What a spec leaves to its data set, filled in: the loss and the score that picks the best checkpoint."""

from dataclasses import replace

from archspec.diagnostics import Diagnostic, SpecError
from archspec.facts.table import Facts
from archspec.facts.tasks import KINDS
from archspec.syntax.spec import Spec
from archspec.syntax.writer import write_spec


def with_defaults(spec: Spec, facts: Facts | None) -> Spec:
    """The spec with `train.loss` and `train.monitor` as its data set has them where it gives none itself.

    Without facts it stays as it is. Raises SpecError: E0617 a loss, E0618 a score that does not fit the task.
    """
    if facts is None:
        return spec
    train = spec.settings.train
    chosen = {"loss": train.loss or facts.loss, "monitor": train.monitor or facts.score}
    known = {"loss": KINDS[facts.kind].losses, "monitor": (*facts.scores, "loss")}
    codes = {"loss": "E0617", "monitor": "E0618"}
    problems = [
        Diagnostic(
            codes[key],
            f"`{chosen[key]}` does not fit a data set for {facts.task}",
            spec.place("train", key),
            help="write " + " or ".join(f"`{one}`" for one in known[key]),
        )
        for key in chosen
        if chosen[key] not in known[key]
    ]
    if problems:
        raise SpecError(problems)
    settings = spec.settings.model_copy(update={"train": train.model_copy(update=chosen)})
    return replace(spec, settings=settings, text=write_spec(settings))
