"""Two equations as one marked text: which parts are gone, which are new, which went round what was there.

The trees are aligned by the cheapest edit, where a part that comes or goes costs its size: a form is compared with a
form of its kind child by child; sums, products, pipes and arguments as sequences; and either side may have gone round
the other (`relu(…)` around what was a sum). Terms of a sum and factors of a product count in any order.

Non-goals: whether a difference matters (`normal.py` says); parts that have moved far, which are told as moved where the
same text went in one place and came in another.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from archspec.compare.chains import KINDS, Item, Kind, in_order_of, loose
from archspec.compare.forms import NOWHERE, children, level_of, shell, size, with_child, with_children
from archspec.compare.marks import EDIT, GONE, NEW, Alike, Remark, Step, gone, joined, new
from archspec.syntax import tree
from archspec.syntax.printer import (
    PIPE,
    POSTFIX,
    PRINTERS,
    Verbatim,
    print_expression,
    print_statement,
    print_target,
    print_values,
)

HOLE = "\5"


class Aligned:
    """The alignments of two equations, each pair of parts once."""

    def __init__(self) -> None:
        self.known: dict[tuple[int, int], Alike] = {}
        self.kept: list[object] = []

    def pair(self, old: tree.Expr, fresh: tree.Expr) -> Alike:
        """The cheapest alignment of two expressions."""
        key = (id(old), id(fresh))
        if key not in self.known:
            self.kept += [old, fresh]  # so that no other part gets their identity
            self.known[key] = self.cheapest(old, fresh)
        return self.known[key]

    def cheapest(self, old: tree.Expr, fresh: tree.Expr) -> Alike:
        """All ways of alignment that these forms have; the first of the cheapest."""
        if loose(old) == loose(fresh):
            return Alike(0, *PRINTERS[type(old)](old))
        best = replaced(old, fresh)
        for way in (*self.as_chains(old, fresh), *self.as_forms(old, fresh)):
            best = min(best, way, key=lambda one: (one.cost, len(one.remarks)))
        best = self.around(old, fresh, NEW, best)
        return self.around(fresh, old, GONE, best)

    def as_forms(self, old: tree.Expr, fresh: tree.Expr) -> list[Alike]:
        """Both have one form: child by child."""
        if type(old) is not type(fresh):
            return []
        if isinstance(old, tree.Call) and isinstance(fresh, tree.Call):
            return [self.calls(old, fresh)]
        if isinstance(old, tree.Index) and isinstance(fresh, tree.Index):
            return [self.indexed(old, fresh)]
        before, after = children(old), children(fresh)
        if not before or len(before) != len(after) or shell(old) != shell(fresh):
            return []
        parts = [self.pair(one, other) for one, other in zip(before, after, strict=True)]
        return [together(with_children(fresh, [verbatim(part) for part in parts]), parts)]

    def indexed(self, old: tree.Index, fresh: tree.Index) -> Alike:
        """What is read, and at which indices."""
        value = self.pair(old.value, fresh.value)
        before, after = (",".join(index.id for index in one.indices) for one in (old, fresh))
        indices, cost = (before, 0) if before == after else (gone(before) + new(after), EDIT + len(old.indices))
        remarks = value.remarks if before == after else (*value.remarks, Remark("replaced", before, after))
        return Alike(value.cost + cost, POSTFIX, f"{print_expression(verbatim(value), POSTFIX)}[{indices}]", remarks)

    def calls(self, old: tree.Call, fresh: tree.Call) -> Alike:
        """The function, then the arguments as a sequence."""
        function = self.pair(old.function, fresh.function)
        items = self.sequence(old.arguments, fresh.arguments, self.argument, "argument", lambda one: one)
        name = print_expression(verbatim(function), POSTFIX)
        cost = function.cost + sum(item.cost for item in items)
        remarks = (*function.remarks, *(remark for item in items for remark in item.remarks))
        return Alike(cost, POSTFIX, f"{name}({joined(items, ', ')})", remarks)

    def statement(self, old: tree.Assign, fresh: tree.Assign) -> Alike:
        """Two lines: what they name, then the values as a sequence."""
        before, after = (", ".join(map(print_target, one.targets)) for one in (old, fresh))
        items = self.sequence(old.values, fresh.values, self.pair, "value", lambda one: one)
        named = before if before == after else gone(before) + new(after)
        text = f"{named} = {joined(items, ', ')}" if named else joined(items, ", ")
        cost = sum(item.cost for item in items) + (0 if before == after else 2)
        return Alike(cost, PIPE, text, tuple(remark for item in items for remark in item.remarks))

    def argument(self, old: tree.Argument, fresh: tree.Argument) -> Alike | None:
        """Two arguments of one name."""
        if old.name != fresh.name:
            return None
        value = self.pair(old.value, fresh.value)
        return replace(value, text=f"{old.name} = {value.text}" if old.name else value.text, level=PIPE)

    def as_chains(self, old: tree.Expr, fresh: tree.Expr) -> list[Alike]:
        """As sums, products or pipes, where one of both is such; the other then has one item."""
        return [self.chains(kind, old, fresh) for kind in KINDS if kind.fits(old) or kind.fits(fresh)]

    def chains(self, kind: "Kind", old: tree.Expr, fresh: tree.Expr) -> Alike:
        """Items of both aligned in order; those of the second come in the order of the first where that is free."""
        before, after = kind.items(old), kind.items(fresh)
        after = in_order_of(before, after) if kind.free else after

        def match(one: Item, other: Item) -> Alike | None:
            leads = one.sign == other.sign or before[0] is one or after[0] is other
            return self.pair(one.value, other.value) if leads else None

        items = self.sequence(before, after, match, kind.noun, lambda item: item.value)
        text = kind.text(items, before, after)
        remarks = tuple(remark for item in items for remark in item.remarks)
        return Alike(sum(item.cost for item in items), kind.level, text, remarks)

    def around(self, inside: tree.Expr, outside: tree.Expr, mark: str, best: Alike) -> Alike:
        """The best so far, or better: one has gone round what is the other, or is gone from around what is left."""
        for at, child in enumerate(children(outside)):
            own = EDIT + size(outside) - size(child)
            if own + abs(size(child) - size(inside)) >= best.cost:
                continue
            inner = self.pair(inside, child) if mark == NEW else self.pair(child, inside)
            if own + inner.cost < best.cost:
                best = wrapped(outside, at, child, inner, mark)
        return best

    def sequence(
        self,
        old: Sequence[object],
        fresh: Sequence[object],
        match: Callable[..., Alike | None],
        noun: str,
        value: Callable[..., object],
    ) -> list["Step"]:
        """The cheapest way from one sequence to another, each step an item that stays, goes or comes."""
        going = [alone("-", one, value(one), noun, at) for at, one in enumerate(old)]
        coming = [alone("+", one, value(one), noun, at) for at, one in enumerate(fresh)]
        best: dict[tuple[int, int], tuple[int, list[Step]]] = {(0, 0): (0, [])}
        for i in range(len(old) + 1):
            for j in range(len(fresh) + 1):
                ways = []
                if i and j and (pair := match(old[i - 1], fresh[j - 1])) is not None:
                    ways.append((best[i - 1, j - 1], Step(" ", pair.cost, pair, pair.remarks, i - 1, j - 1)))
                if j:
                    ways.append((best[i, j - 1], coming[j - 1]))
                if i:
                    ways.append((best[i - 1, j], going[i - 1]))
                if ways:
                    options = [(cost + step.cost, [*steps, step]) for (cost, steps), step in ways]
                    best[i, j] = min(options, key=lambda option: option[0])
        return best[len(old), len(fresh)][1]


def wrapped(outside: tree.Expr, at: int, child: tree.Expr, inner: Alike, mark: str) -> Alike:
    """What is or was around an aligned part, marked."""
    level, whole = PRINTERS[type(outside)](with_child(outside, at, Verbatim(child.span, level_of(child), HOLE)))
    before, _, after = whole.partition(HOLE)
    paint, kind = (new, "around") if mark == NEW else (gone, "not around")
    remark = Remark(kind, f"{before}…{after}", print_expression(child))
    text = paint(before) + inner.text + paint(after)
    cost = EDIT + size(outside) - size(child) + inner.cost
    return Alike(cost, min(level, inner.level), text, (remark, *inner.remarks))


def alone(sign: str, item: object, value: object, noun: str, at: int) -> Step:
    """An item that only one sequence has."""
    level, text = printed(item)
    remark = Remark(f"{noun} {'gone' if sign == '-' else 'new'}", text)
    return Step(
        sign, EDIT + size(value), Alike(0, level, text), (remark,), at if sign == "-" else -1, at if sign == "+" else -1
    )


def printed(item: object) -> tuple[int, str]:
    """The text of an item of a sequence, and how tightly it binds."""
    if isinstance(item, Item):
        item = item.value
    if isinstance(item, tree.Assign):
        return PIPE, print_statement(item) if item.targets else print_values(item.values)
    if isinstance(item, tree.Argument):
        name = "" if item.name is None else f"{item.name} = "
        return PIPE, name + print_expression(item.value)
    level, text = PRINTERS[type(item)](item)
    return level, text


def replaced(old: tree.Expr, fresh: tree.Expr) -> Alike:
    """One expression in the place of another."""
    (low, before), (other, after) = (PRINTERS[type(one)](one) for one in (old, fresh))
    remark = Remark("replaced", before, after)
    return Alike(EDIT + size(old) + size(fresh), min(low, other), gone(before) + new(after), (remark,))


def together(whole: tree.Expr, parts: Sequence[Alike]) -> Alike:
    """A form whose children are aligned."""
    remarks = tuple(remark for part in parts for remark in part.remarks)
    return Alike(sum(part.cost for part in parts), *PRINTERS[type(whole)](whole), remarks)


def verbatim(part: Alike) -> Verbatim:
    """An aligned part as an expression."""
    return Verbatim(NOWHERE, part.level, part.text)
