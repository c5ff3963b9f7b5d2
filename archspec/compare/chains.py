"""Sums, products and pipes as chains of items: taken apart, put into one order, and written with marks."""

from collections.abc import Sequence
from dataclasses import dataclass

from archspec.compare.forms import NOWHERE
from archspec.compare.marks import GONE, GONE_END, NEW, NEW_END, PAINT, Step, gone, new
from archspec.syntax import tree
from archspec.syntax.printer import CHOICE, PIPE, PRODUCT, SUM, Verbatim, print_expression


@dataclass(frozen=True)
class Item:
    """A term with its sign, a factor with `*` or `/`, a stage of a pipe."""

    sign: str
    value: tree.Expr


@dataclass(frozen=True)
class Kind:
    """A form that is a chain of items: its operators, how its items are called and how tightly they must bind."""

    operators: tuple[str, ...]
    noun: str
    level: int
    inner: int
    free: bool
    """Whether the items may stand in any order."""

    def fits(self, expr: tree.Node) -> bool:
        """Whether an expression is such a chain."""
        if isinstance(expr, tree.Pipe):
            return self.noun == "stage"
        return isinstance(expr, tree.Binary) and expr.op in self.operators

    def items(self, expr: tree.Expr) -> list[Item]:
        """The items of a chain; any other expression is one item."""
        if isinstance(expr, tree.Pipe) and self.fits(expr):
            return [Item("->", expr.value), *(Item("->", stage) for stage in expr.stages)]
        if isinstance(expr, tree.Binary) and self.fits(expr):
            return [*self.items(expr.left), Item(expr.op, expr.right)]
        return [Item(self.operators[0], expr)]

    def text(self, steps: Sequence[Step], before: Sequence[Item], after: Sequence[Item]) -> str:
        """The marked text of aligned items."""
        texts: list[tuple[str, str, str]] = []
        for step in steps:
            item = after[step.fresh] if step.sign != "-" else before[step.old]
            texts.append(
                (
                    step.sign,
                    item.sign,
                    print_expression(Verbatim(NOWHERE, step.alike.level, step.alike.text), self.inner),
                )
            )
        stays = next((at for at, (sign, _, _) in enumerate(texts) if sign == " "), -1)
        if stays < 0:
            return gone(self.plain(texts, "-")) + new(self.plain(texts, "+"))
        parts = []
        for at, (sign, operator, text) in enumerate(texts):
            paint = PAINT[sign]
            if at < stays:
                after_it = next(one for one in texts[at + 1 :] if one[0] in (sign, " "))
                parts.append(paint(f"{text} {after_it[1]} "))
            else:
                parts.append(text if at == stays else paint(f" {operator} {text}"))
        return "".join(parts).replace(GONE_END + GONE, "").replace(NEW_END + NEW, "")

    def plain(self, texts: Sequence[tuple[str, str, str]], sign: str) -> str:
        """The items of one side alone."""
        own = [(operator, text) for one, operator, text in texts if one == sign]
        return own[0][1] + "".join(f" {operator} {text}" for operator, text in own[1:])


KINDS = (
    Kind(("+", "-"), "term", SUM, PRODUCT, True),
    Kind(("*", "/"), "factor", PRODUCT, PRODUCT + 1, True),
    Kind(("->",), "stage", PIPE, CHOICE, False),
)


def in_order_of(before: Sequence[Item], after: Sequence[Item]) -> list[Item]:
    """The second chain with the items that the first has too in the order they have there; signs stay with them."""
    left, order = list(after), []
    for item in before:
        found = next((one for one in left if loose_item(one) == loose_item(item)), None)
        if found is not None:
            left.remove(found)
            order.append(found)
    common = [item for item in after if any(item is one for one in order)]
    ranks = iter(order)
    whole = [next(ranks) if any(item is one for one in common) else item for item in after]
    return whole if whole[0].sign in ("+", "*") else list(after)


def loose_item(item: Item) -> object:
    """An item up to the order of sums and products in it."""
    return (item.sign, loose(item.value))


def loose(expr: object) -> object:
    """An expression up to the order of sums and products: equal for `a * b + c` and `c + b * a`."""
    if isinstance(expr, tuple):
        return tuple(map(loose, expr))
    if not isinstance(expr, tree.Node):
        return expr
    if LOOSE not in expr.__dict__:
        expr.__dict__[LOOSE] = loosened(expr)  # trees never change, and are asked for this over and over
    return expr.__dict__[LOOSE]


LOOSE = "up to order"


def loosened(expr: tree.Node) -> object:
    """The same, worked out."""
    kind = next((kind for kind in KINDS if kind.free and isinstance(expr, tree.Binary) and kind.fits(expr)), None)
    if kind is not None and isinstance(expr, tree.Binary):
        return (kind.noun, tuple(sorted(repr(loose_item(item)) for item in kind.items(expr))))
    return (type(expr).__name__, *(loose(getattr(expr, name)) for name in expr.__dataclass_fields__ if name != "span"))
