"""Whether two programs have one normal form: which weights of the one are which of the other, found and then proved.

Marks are told apart by where they are used, over and over, until that tells no more (colour refinement, as in
Weisfeiler and Leman 1968). Among those that are still alike one after another is tried, within a budget. A mapping is
believed only if with it the terms of both programs are the same, one by one, so a wrong answer cannot come of it.
"""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field

from archspec.compare.normal import form_of
from archspec.compare.terms import Form, Mark
from archspec.ir.nodes import Program

TRIES = 100
"""Mappings that are tried at most."""

Mapped = Mapping[str, str]
"""Names of weights, and draws of chance, of one program to those of another."""

Base = Callable[[Mark], Hashable]


def with_beginnings(mark: Mark) -> Hashable:
    """What tells weights apart from the start: shape, the values they begin with, and whether they train."""
    return (mark.kind, mark.begins)


def by_shape(mark: Mark) -> Hashable:
    """The same without the values they begin with, unless `parameters:` says them."""
    return (mark.kind, mark.said)


@dataclass
class Names:
    """Numbers for anything, the same for equal things in both programs."""

    known: dict[Hashable, int] = field(default_factory=dict)

    def __call__(self, thing: Hashable) -> int:
        """The number of a thing."""
        return self.known.setdefault(thing, len(self.known))


Colours = dict[str, int]


def same(one: Program, other: Program, base: Base = with_beginnings) -> Mapped | None:
    """The weights of the first as those of the second, where both have one normal form; None where none was found."""
    return matched(form_of(one), form_of(other), base)


def matched(one: Form, other: Form, base: Base) -> Mapped | None:
    """The same for normal forms."""
    names, budget = Names(), [TRIES]
    first, second = ({mark: names(("mark", base(form.marks[mark]))) for mark in used(form)} for form in (one, other))
    if one.roots.keys() != other.roots.keys() or sorted(first.values()) != sorted(second.values()):
        return None
    return search((one, other), (first, second), names, budget)


def used(form: Form) -> list[str]:
    """The marks that the roots need."""
    return list(dict.fromkeys(mark for number in form.reached() for mark in form.terms[number].marks))


def search(
    forms: tuple[Form, Form], colours: tuple[Colours, Colours], names: Names, budget: list[int]
) -> Mapped | None:
    """Refine; where marks are still alike, try one pair after another."""
    budget[0] -= 1
    first, second = refined(forms, colours, names)
    if sorted(first.values()) != sorted(second.values()):
        return None
    alike = [mark for mark in first if list(first.values()).count(first[mark]) > 1]
    if not alike:
        back = {colour: mark for mark, colour in second.items()}
        mapping = {mark: back[colour] for mark, colour in first.items()}
        return mapping if proved(forms, mapping, names) else None
    for partner in (mark for mark, colour in second.items() if colour == first[alike[0]]):
        if budget[0] <= 0:
            return None
        told = names(("told apart", first[alike[0]], len(names.known)))
        again = ({**first, alike[0]: told}, {**second, partner: told})
        if (found := search(forms, again, names, budget)) is not None:
            return found
    return None


def refined(forms: tuple[Form, Form], colours: tuple[Colours, Colours], names: Names) -> tuple[Colours, Colours]:
    """Colours of marks by where they are used, until no more are told apart."""
    first, second = colours
    while True:
        newer = (used_where(forms[0], first, names), used_where(forms[1], second, names))
        if [len(set(one.values())) for one in newer] == [len(set(one.values())) for one in (first, second)]:
            return newer
        first, second = newer


def used_where(form: Form, marks: Colours, names: Names) -> Colours:
    """A colour of every mark from the terms that have it: what they are, and what is made of them."""
    terms = from_below(form, marks, names)
    around: dict[int, list[int]] = {number: [] for number in terms}
    for name, number in form.roots.items():
        around[number].append(names(("root", name)))
    places: dict[str, list[int]] = {mark: [] for mark in marks}
    for number in sorted(terms, reverse=True):
        here = names((terms[number], tuple(sorted(around[number]))))
        for label, operand in form.terms[number].operands:
            around[operand].append(names(("in", label, here)))
        for at, mark in enumerate(form.terms[number].marks):
            places[mark].append(names(("at", at, here)))
    return {mark: names((marks[mark], tuple(sorted(found)))) for mark, found in places.items()}


def from_below(form: Form, marks: Colours, names: Names) -> dict[int, int]:
    """A colour of every term that is needed: equal for terms that are made alike from marks of equal colours."""
    found: dict[int, int] = {}
    for number in form.reached():
        term = form.terms[number]
        operands = sorted((names(("label", label)), found[operand]) for label, operand in term.operands)
        found[number] = names((term.op, term.facts, tuple(operands), tuple(marks[mark] for mark in term.marks)))
    return found


def proved(forms: tuple[Form, Form], mapping: Mapped, names: Names) -> bool:
    """Whether the roots are the same terms when every mark goes by the name the other program has for it."""
    second = {mark: names(("itself", mark)) for mark in used(forms[1])}
    first = {mark: second[partner] for mark, partner in mapping.items()}
    if len(set(first.values())) < len(first):
        return False
    ours, theirs = from_below(forms[0], first, names), from_below(forms[1], second, names)
    return all(ours[number] == theirs[forms[1].roots[name]] for name, number in forms[0].roots.items())
