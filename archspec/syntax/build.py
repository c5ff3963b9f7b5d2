"""Lark's tree → `tree.py`: one method for every rule of `equation.lark`.

What the grammar reads as an expression but means something else where it stands (a left side, the arguments of a
function, an index with its set, the stages of a pipe and of a stack) is looked at here; its mistakes are collected.
"""

import math
from collections.abc import Sequence
from typing import Any

from lark import Token, Tree

from archspec.diagnostics import Diagnostic
from archspec.source import Span
from archspec.syntax import tree
from archspec.syntax.fragment import Fragment
from archspec.syntax.mistakes import MISTAKES

Parsed = Any
"""Lark's Tree or Token: what a rule's children are is known from the grammar alone."""

LARGEST = 2**63
"""Integers are below it, as numbers are in every library that will see them."""

WORDS = {"INF": math.inf, "TRUE": True, "FALSE": False}


def depth(parsed: Parsed) -> int:
    """Levels of a tree, counted without recursion."""
    deepest, pending = 0, [(parsed, 1)]
    while pending:
        node, level = pending.pop()
        deepest = max(deepest, level)
        pending += [(child, level + 1) for child in node.children if isinstance(child, Tree)]
    return deepest


def given(children: Sequence[Parsed | None]) -> list[Parsed]:
    """The children that are there."""
    return [child for child in children if child is not None]


class Builder:
    """Builds the tree of one fragment and collects what is wrong in it."""

    def __init__(self, fragment: Fragment):
        self.fragment = fragment
        self.problems: list[Diagnostic] = []

    def span(self, node: Parsed) -> Span:
        """Where a node of Lark's stands."""
        if isinstance(node, Token):
            return self.fragment.span(node.start_pos or 0, (node.start_pos or 0) + len(node))
        return self.fragment.span(node.meta.start_pos, node.meta.end_pos)

    def mistake(self, code: str, node: Parsed, found: str = "") -> None:
        """Note a mistake at a node."""
        self.problems.append(MISTAKES[code].at(self.span(node), found or f"`{self.text(node)}`"))

    def text(self, node: Parsed) -> str:
        """The text of a node, on one line and not too long."""
        if isinstance(node, Token):
            return str(node)
        text = " ".join(self.fragment.text[node.meta.start_pos : node.meta.end_pos].split())
        return text if len(text) <= 40 else text[:39] + "…"

    def body(self, node: Parsed) -> tree.Body:
        """`statement (newline statement)*`."""
        statements = []
        for child in node.children[:-1]:
            if child.data == "assign":
                statements.append(self.assign(child))
            else:
                self.mistake("E0147", child)
        last = node.children[-1]
        if last.data == "assign":
            return tree.Body(self.span(node), (*statements, self.assign(last)), ())
        return tree.Body(self.span(node), tuple(statements), self.values(last.children[0]))

    def assign(self, node: Parsed) -> tree.Assign:
        """`q, k = f(x)`."""
        left, right = node.children
        targets = tuple(self.target(child) for child in left.children)
        values = self.values(right)
        if len(values) not in (1, len(targets)):
            self.mistake("E0148", node)
        self.once("E0149", [(child, target.name) for child, target in zip(left.children, targets, strict=True)])
        return tree.Assign(self.span(node), targets, values)

    def once(self, code: str, named: Sequence[tuple[Parsed, str | None]]) -> None:
        """Report the names that occur again; None and "" do not count."""
        seen: set[str] = set()
        for node, name in named:
            if name and name in seen:
                self.mistake(code, node, name)
            seen.add(name or "")

    def target(self, node: Parsed) -> tree.Target:
        """`h`, or `a[i, j in V]`."""
        if node.data == "name":
            return tree.Target(self.span(node), str(node.children[0]))
        if node.data != "index" or node.children[0].data != "name":
            self.mistake("E0142", node)
            return tree.Target(self.span(node), "")
        indices, over = self.indices(node)
        if over is None or len(indices) != 2 or indices[0] == indices[1]:
            self.mistake("E0143", node)
        return tree.Target(self.span(node), str(node.children[0].children[0]), indices, over)

    def values(self, node: Parsed) -> tuple[tree.Expr, ...]:
        """`q, k`."""
        return tuple(self.expr(child) for child in node.children)

    def whole(self, node: Parsed) -> tree.Expr:
        """The expression a text consists of."""
        return self.expr(node.children[0])

    def expr(self, node: Parsed) -> tree.Expr:
        """Any expression: the method named as its rule."""
        built: tree.Expr = getattr(self, str(node.data))(node)
        return built

    def name(self, node: Parsed) -> tree.Name:
        """`eps2`."""
        return self.word(node.children[0])

    def word(self, token: Token) -> tree.Name:
        """A name as a token."""
        return tree.Name(self.span(token), str(token))

    def literal(self, node: Parsed) -> tree.Literal:
        """`3`, `.5`, `1e-3`, `"GATConv"`, `inf`, `true`."""
        token = node.children[0]
        if token.type == "STRING":
            return tree.Literal(self.span(node), str(token)[1:-1])
        return tree.Literal(self.span(node), WORDS[token.type] if token.type in WORDS else self.number(token))

    def number(self, token: Token) -> int | float:
        """The value of a number, within bounds."""
        if token.isdigit():
            value: int | float = int(token) if len(token) < 40 else LARGEST
            too_large = value >= LARGEST
        else:
            too_large = math.isinf(value := float(token))
        if too_large:
            self.mistake("E0111", token)
        return 0 if too_large else value

    def group(self, node: Parsed) -> tree.Expr:
        """`(a + b)`: the same as what stands inside."""
        return self.expr(node.children[0])

    def sequence(self, node: Parsed) -> tree.Sequence:
        """`(0, 2, 5)`."""
        return tree.Sequence(self.span(node), tuple(self.expr(child) for child in given(node.children)))

    def unary(self, node: Parsed) -> tree.Unary:
        """`-x`, `not c`."""
        op, operand = node.children
        return tree.Unary(self.span(node), str(op), self.expr(operand))

    def binary(self, node: Parsed) -> tree.Binary:
        """`a + b`."""
        left, op, right = node.children
        return tree.Binary(self.span(node), str(op), self.expr(left), self.expr(right))

    def range(self, node: Parsed) -> tree.Range:
        """`0..K`."""
        first, last = (self.expr(child) for child in node.children)
        if any(isinstance(end, tree.Literal) and type(end.value) is not int for end in (first, last)):
            self.mistake("E0137", node)
        return tree.Range(self.span(node), first, last)

    def choice(self, node: Parsed) -> tree.Choice:
        """`a if c else b`, `V if c`."""
        then, condition, *otherwise = node.children
        other = self.expr(otherwise[0]) if otherwise else None
        return tree.Choice(self.span(node), self.expr(then), self.expr(condition), other)

    def function(self, node: Parsed) -> tree.Lambda:
        """`h => f(h)`, `(a, b) => a + b`."""
        left, body = node.children
        group = left.data in ("group", "sequence")
        names = [child.children[0] for child in (given(left.children) if group else [left]) if child.data == "name"]
        if len(names) != (len(given(left.children)) if group else 1) or len(set(names)) < len(names):
            self.mistake("E0141", left)
        return tree.Lambda(self.span(node), tuple(self.word(name) for name in names), self.expr(body))

    def call(self, node: Parsed) -> tree.Call | tree.Reduce:
        """`linear(x, heads, c, bias = false)`; `sum[j in N](x[j])`."""
        called, *arguments = node.children
        arguments = given(arguments)
        if called.data == "index":
            return self.reduce(node, called, arguments)
        return tree.Call(self.span(node), self.expr(called), self.arguments(arguments))

    def arguments(self, nodes: Sequence[Parsed]) -> tuple[tree.Argument, ...]:
        """`x, 2*d, bias = false`."""
        pairs = [(child.children[0], child.children[1]) for child in nodes]
        self.once("E0149", [(child, name) for child, (name, _) in zip(nodes, pairs, strict=True)])
        for before, after in zip(pairs, nodes[1:], strict=False):
            if before[0] is not None and after.children[0] is None:
                self.mistake("E0150", after)
        return tuple(
            tree.Argument(self.span(child), None if name is None else str(name), self.expr(value))
            for child, (name, value) in zip(nodes, pairs, strict=True)
        )

    def reduce(self, node: Parsed, called: Parsed, arguments: Sequence[Parsed]) -> tree.Reduce:
        """`sum[j in N](x[j])`, `sum[j](…)`."""
        op = called.children[0]
        indices, over = self.indices(called)
        if op.data != "name":
            self.mistake("E0146", called)
        elif len(indices) != 1:
            self.mistake("E0144", called)
        if len(arguments) != 1 or arguments[0].children[0] is not None:
            self.mistake("E0145", node)
        body = self.expr(arguments[0].children[1]) if arguments else tree.Sequence(self.span(node), ())
        name = self.name(op) if op.data == "name" else tree.Name(self.span(op), "")
        return tree.Reduce(self.span(node), name, indices[0], over, body)

    def indices(self, node: Parsed) -> tuple[tuple[tree.Name, ...], tree.Expr | None]:
        """`[i, j in V]`: the indices and the set."""
        *names, over = node.children[1].children
        return tuple(self.word(name) for name in names), None if over is None else self.expr(over)

    def index(self, node: Parsed) -> tree.Index:
        """`x[j]`, `b[i,j]`."""
        indices, over = self.indices(node)
        if over is not None:
            self.mistake("E0146", node)
        return tree.Index(self.span(node), self.expr(node.children[0]), indices)

    def pipe(self, node: Parsed) -> tree.Pipe:
        """`x -> f -> g(d)`."""
        value, *stages = node.children
        return tree.Pipe(self.span(node), self.expr(value), tuple(self.pipe_stage(stage) for stage in stages))

    def pipe_stage(self, node: Parsed) -> tree.Expr:
        """`f`, `g(d)`, `(h => f(h))`."""
        inner = node
        while inner.data == "group":
            inner = inner.children[0]
        built = self.expr(inner)
        allowed = (tree.Name, tree.Call) if inner is node else (tree.Name, tree.Lambda)
        if not isinstance(built, allowed):
            self.mistake("E0140", node)
        return built

    def stack(self, node: Parsed) -> tree.Stage:
        """`local -> 2 * (a -> b) -> global`."""
        return self.stage(node.children[0])

    def stage(self, node: Parsed) -> tree.Stage:
        """One stage of a stack, or several in order."""
        if node.data == "pipe":
            return tree.Chain(self.span(node), tuple(self.stage(child) for child in node.children))
        if node.data == "group":
            return self.stage(node.children[0])
        if node.data == "binary" and node.children[1] == "*":
            return self.repeat(node)
        if node.data == "name":
            return self.name(node)
        if node.data == "call" and node.children[0].data == "name":
            return self.block(node)
        self.mistake("E0152", node)
        return tree.Name(self.span(node), "")

    def repeat(self, node: Parsed) -> tree.Repeat:
        """`4 * layer`."""
        count, _, stage = node.children
        if stage.data == "literal" and count.data != "literal":
            self.mistake("E0153", node)
            return tree.Repeat(self.span(node), self.expr(stage), tree.Name(self.span(count), ""))
        return tree.Repeat(self.span(node), self.expr(count), self.stage(stage))

    def block(self, node: Parsed) -> tree.Call:
        """`layer(64)`; `tied(4 * layer)`, whose argument is a stage."""
        called, *arguments = node.children
        arguments = given(arguments)
        if called.children[0] != "tied":
            return tree.Call(self.span(node), self.name(called), self.arguments(arguments))
        if len(arguments) != 1 or arguments[0].children[0] is not None:
            self.mistake("E0152", node)
            return tree.Call(self.span(node), self.name(called), ())
        stage = self.stage(arguments[0].children[1])
        argument = tree.Argument(self.span(arguments[0]), None, stage)  # type: ignore[arg-type]
        return tree.Call(self.span(node), self.name(called), (argument,))

    def heading(self, node: Parsed) -> tree.Heading:
        """`mlp(h)`, `pre_norm(x, f, norm = layer_norm)`, `eps`."""
        name, *rest = node.children
        if not rest:
            return tree.Heading(self.span(node), str(name))
        nodes = given(rest)
        parameters = tuple(self.parameter(child) for child in nodes)
        self.once("E0151", [(child, one.name) for child, one in zip(nodes, parameters, strict=True)])
        for before, after, child in zip(parameters, parameters[1:], nodes[1:], strict=False):
            if before.default is not None and after.default is None:
                self.mistake("E0154", child)
        return tree.Heading(self.span(node), str(name), parameters)

    def parameter(self, node: Parsed) -> tree.Parameter:
        """`norm = layer_norm`."""
        name, default = node.children
        return tree.Parameter(self.span(node), str(name), None if default is None else self.expr(default))
