"""What is found right of a spec, for `archspec check` and for notebooks; and a spec made ready to be compared."""

from archspec.compare.consequences import Checked
from archspec.cost.parameters import count, count_frozen, uncounted
from archspec.facts import with_defaults
from archspec.pipeline import build, compile_spec, facts_of
from archspec.syntax.spec import Spec


def compiled(spec: Spec) -> Checked:
    """A spec with its program, its plan and what is known of its data. Raises SpecError."""
    facts = facts_of(spec)
    made = compile_spec(spec, facts)
    return Checked(spec, made.program, made.plan, facts)


def told(spec: Spec, static: bool) -> str:
    """What was found right, in one line; without torch if static. Raises SpecError."""
    program = compile_spec(spec).program
    facts = facts_of(spec)
    with_defaults(spec, facts)
    if facts is None and spec.settings.data:
        return "ok; sizes that the data set would give are open until it has been read"
    if facts is None:
        return "ok; no data set, so sizes it would give are open"
    still, elsewhere = count_frozen(program), uncounted(program)
    frozen = f" ({still:,} frozen)" if still else ""
    if static:
        return f"ok, {count(program):,} parameters{elsewhere}{frozen}"
    from archspec.equal.module import agreement
    from archspec.train.task import check_settings

    check_settings(spec.settings.train, spec.place)
    total = built_parameters(spec) if elsewhere else count(program)
    return f"ok, {total:,} parameters{frozen}, {agreement(spec)}"


def built_parameters(spec: Spec) -> int:
    """Trainable numbers of the module, where it holds some that archspec did not write."""
    return sum(parameter.numel() for parameter in build(spec).module.parameters())
