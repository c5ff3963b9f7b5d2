"""What a spec leaves to its data set, filled in: the loss and the score that picks the best checkpoint."""

from collections.abc import Iterator
from dataclasses import replace
from difflib import get_close_matches

from archspec.diagnostics import Diagnostic, SpecError
from archspec.facts.table import Facts
from archspec.facts.tasks import KINDS, LOSSES
from archspec.syntax.spec import Spec
from archspec.syntax.writer import write_spec


def with_defaults(spec: Spec, facts: Facts | None) -> Spec:
    """The spec with `train.loss` and `train.monitor` as its data set has them where it gives none itself.

    Without facts it stays as it is. Raises SpecError: E0617 a loss, E0618 a score that does not fit the
    task, E0619 options of the loss.
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
    if not problems:
        problems = [*wrong_options(spec, str(chosen["loss"]), facts)]
    if problems:
        raise SpecError(problems)
    settings = spec.settings.model_copy(update={"train": train.model_copy(update=chosen)})
    return replace(spec, settings=settings, text=write_spec(settings))


def wrong_options(spec: Spec, loss: str, facts: Facts) -> Iterator[Diagnostic]:
    """E0619 for an option that the loss does not have, a value of another kind, or two that exclude another."""
    known, given = LOSSES[loss].options, spec.settings.train.loss_options
    for name, value in given.items():
        at = spec.place("train", "loss_options", name)
        if name not in known:
            close = get_close_matches(name, known, 1)
            has = f"it has {', '.join(known)}" if known else "it has no options: remove it"
            help = f"write `{close[0]}`" if close else has
            yield Diagnostic("E0619", f"the loss `{loss}` has no option `{name}`", at, help=help)
        elif (known[name] is None) != isinstance(value, list):
            wanted = f"a list of {facts.out} numbers" if known[name] is None else "a number"
            yield Diagnostic("E0619", f"`{name}` of `{loss}` is {wanted}", at, help=f"write {wanted}")
        elif isinstance(value, list) and (len(value) != facts.out or min(value) < 0):
            message = f"`{name}` of `{loss}` is {facts.out} numbers that are not negative, found {value}"
            yield Diagnostic("E0619", message, at, help="one for each class or label, in their order")
    if len(given) > 1 and set(given) == {"label_smoothing", "weight"}:
        message = "`label_smoothing` and `weight` cannot be together"
        yield Diagnostic("E0619", message, spec.place("train", "loss_options"), help="leave one out")
