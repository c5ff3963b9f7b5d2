"""What happened to an equation, in words: one row for every kind of edit."""

from collections.abc import Iterator, Mapping, Sequence

from archspec.compare.marks import Remark

WORDS: Mapping[str, str] = {
    "around": "{what} around {where}",
    "not around": "{what} no longer around {where}",
    "term new": "term added: {what}",
    "term gone": "term removed: {what}",
    "factor new": "factor added: {what}",
    "factor gone": "factor removed: {what}",
    "stage new": "stage added: {what}",
    "stage gone": "stage removed: {what}",
    "argument new": "argument added: {what}",
    "argument gone": "argument removed: {what}",
    "value new": "value added: {what}",
    "value gone": "value removed: {what}",
}
"""How each is said; that one part replaces another is seen."""

MOVED = {"not around": "around", **{f"{noun} gone": f"{noun} new" for noun in ("term", "factor", "stage", "argument")}}
"""What goes in one place and comes in another is moved."""

LONGEST = 40
"""Characters of an equation that are shown in a remark."""


def in_words(remarks: Sequence[Remark]) -> Iterator[str]:
    """One line for every edit that marks alone do not say; two edits that move a part are one."""
    left = list(remarks)
    while left:
        one = left.pop(0)
        if one.kind == "replaced":
            continue
        partner = next((other for other in left if moves(one, other) or moves(other, one)), None)
        if partner is None:
            yield WORDS[one.kind].format(what=short(one.what), where=short(one.where))
            continue
        left.remove(partner)
        gone, come = (one, partner) if moves(one, partner) else (partner, one)
        places = f": from around {short(gone.where)} to around {short(come.where)}" if come.where else ""
        yield f"{short(one.what)} moved{places}"


def moves(gone: Remark, come: Remark) -> bool:
    """Whether two edits are one part that goes here and comes there."""
    return MOVED.get(gone.kind) == come.kind and gone.what == come.what


def short(text: str) -> str:
    """A text without marks, cut where it is long."""
    text = "".join(letter for letter in text if letter >= " ")
    return text if len(text) <= LONGEST else text[: LONGEST - 2] + " …"
