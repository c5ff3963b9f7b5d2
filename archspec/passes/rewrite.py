"""How a pass walks a program: every distinct section once, every node after its operands."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from archspec.ir.nodes import Node, Program, Section

Rule = Callable[[Node], Node]


def each_section(program: Program, rewrite: Callable[[Section], Section]) -> Program:
    """The program with every section rewritten; sections that were one stay one."""
    done: dict[int, Section] = {}

    def once(section: Section) -> Section:
        if id(section) not in done:
            done[id(section)] = rewrite(section)
        return done[id(section)]

    return replace(
        program,
        input=once(program.input),
        layers=tuple(map(once, program.layers)),
        output=once(program.output),
        penalty=once(program.penalty) if program.penalty else None,
    )


def bottom_up(section: Section, rule: Rule) -> Section:
    """Every node rebuilt with its rewritten operands and handed to the rule; the rule returns it or a better one.

    A node the rule makes gets the name of the one it stands for; nodes that were there before keep theirs.
    """
    new: dict[int, Node] = {}
    made = set(map(id, section.nodes))
    for node in section.nodes:
        changed = with_operands(node, [new[id(operand)] for operand in node.operands])
        better = rule(changed)
        if id(better) not in made and not better.name:
            better.name = node.name
        made.add(id(better))
        new[id(node)] = better
    return with_roots(section, new)


def with_roots(section: Section, new: Mapping[int, Node]) -> Section:
    """The section with other nodes, by the identity of those they stand for."""
    results = tuple((name, new[id(value)]) for name, value in section.results)
    return replace(section, results=results, sets=tuple((over, new[id(value)]) for over, value in section.sets))


def with_operands(node: Node, operands: Sequence[Node]) -> Node:
    """The node itself if its operands stay, else a copy with others."""
    if all(old is now for old, now in zip(node.operands, operands, strict=True)):
        return node
    return replace(node, operands=tuple(operands))


def users(section: Section) -> Counter[int]:
    """How often each node, by identity, is used by nodes, results and sets."""
    counted = Counter(id(operand) for node in section.nodes for operand in node.operands)
    counted.update(map(id, section.roots))
    return counted
