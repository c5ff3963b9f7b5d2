"""How much memory a step takes at its peak: the numbers alive at every operation, forward and then backward.

Numbers live as long as in the emitted code: results until the operation that reads them last, or until the method of
their section returns where they have a name; what the gradient needs until its operation's backward pass. Counted are
tensors; the process with torch in it comes to that.
"""

from collections import Counter
from collections.abc import Callable, Container, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import prod

from archspec.cost.batch import data_bytes, index_bytes
from archspec.cost.counting import At, Cost, Keep
from archspec.cost.extent import Sizes
from archspec.cost.parameters import count
from archspec.cost.table import cost_of
from archspec.ir.nodes import Node, Section, full_name
from archspec.ir.ops import weights_of
from archspec.ir.settings import frozen
from archspec.ir.types import ALL
from archspec.passes.rewrite import users
from archspec.passes.schedule import Plan


def trains(path: str, node: Node, still: Container[str]) -> bool:
    """Whether a node has weights that train; `still` are the names of those that do not."""
    return any(one.trainable and full_name(path, name) not in still for name, one in weights_of(node))


def learnt(section: Section, states: Mapping[str, bool], trained: Container[int]) -> frozenset[int]:
    """The nodes, by identity, through which gradients flow: weights train, and so does what is computed with them."""
    found: set[int] = set()
    for node in section.nodes:
        from_state = node.op == "state" and states.get(str(node["name"]), False)
        stops = node.op == "detach" or node.type.entries != "number"
        if (from_state or id(node) in trained or any(id(one) in found for one in node.operands)) and not stops:
            found.add(id(node))
    return frozenset(found)


@dataclass
class Tape:
    """What is alive, in numbers, and the most there was."""

    live: float = 0
    peak: float = 0
    sizes: dict[Hashable, float] = field(default_factory=dict)
    holders: Counter[Hashable] = field(default_factory=Counter)

    def hold(self, key: Hashable, size: float = 0) -> None:
        """Keep a storage alive for one more reason."""
        if not self.holders[key]:
            self.sizes[key] = size
            self.live += size
        self.holders[key] += 1
        self.touch(0)

    def drop(self, key: Hashable) -> None:
        """One reason less."""
        self.holders[key] -= 1
        if not self.holders[key]:
            self.live -= self.sizes[key]

    def touch(self, more: float) -> None:
        """Numbers that live for a moment."""
        self.peak = max(self.peak, self.live + more)

    def retain(self, value: "Value") -> None:
        """One more name for a value."""
        if value.storage is not None:
            self.hold(value.storage, value.size)

    def release(self, value: "Value") -> None:
        """One name less."""
        if value.storage is not None:
            self.drop(value.storage)


@dataclass(frozen=True)
class Value:
    """A value as it was computed: where gradients to it go, its storage (None: none of its own), its numbers."""

    key: Hashable
    storage: Hashable
    size: float
    learnt: bool


class Scope:
    """The variables of a section's method: what is bound to a name lives until that is bound again, or the end."""

    def __init__(self, section: Section, tape: Tape):
        self.tape = tape
        self.waiting = users(section)
        self.reader = {id(operand): node for node in section.nodes for operand in node.operands}
        self.names: dict[str, tuple[Node, Value]] = {}
        self.unbound = {id(node) for node in section.nodes if self.inlined(node)}

    def inlined(self, node: Node) -> bool:
        """Whether a value stands in the expression that reads it: it is read once, by the same line of the spec."""
        reader = self.reader.get(id(node))
        if node.name or self.waiting[id(node)] != 1 or reader is None:
            return False
        return (node.span.source, node.span.line) == (reader.span.source, reader.span.line)

    def bind(self, node: Node, found: Mapping[int, Value]) -> None:
        """A new value; those it reads go if they stand in its expression."""
        self.tape.retain(found[id(node)])
        for operand in node.operands:
            self.waiting[id(operand)] -= 1
            if id(operand) in self.unbound:
                self.tape.release(found[id(operand)])
        if id(node) in self.unbound:
            return
        name, number = node.name or node.op, 1
        while (key := f"{name}.{number}") in self.names and self.waiting[id(self.names[key][0])]:
            number += 1
        if key in self.names:
            self.tape.release(self.names[key][1])
        self.names[key] = (node, found[id(node)])

    def close(self) -> None:
        """The method returns."""
        for _, value in self.names.values():
            self.tape.release(value)


@dataclass
class Done:
    """An operation that was run: what its backward pass needs."""

    value: Value
    operands: Sequence[Value]
    cost: Cost
    at: At
    kept: Sequence[Hashable]
    reached: bool = False
    """Whether a gradient comes to it: the prediction depends on it."""
    added: float = 0
    """Numbers of gradients that are added to those which its operands have from elsewhere."""


def others(at: At, value: Value, operands: Sequence[Value]) -> list[Value]:
    """The operands beside which there is another to which a gradient flows."""
    flows = [index for index, one in enumerate(operands) if one.learnt]
    return [one for index, one in enumerate(operands) if any(index != other for other in flows)]


def power(at: At, value: Value, operands: Sequence[Value]) -> list[Value]:
    """The base; where the exponent is no number of the text all there is."""
    return [*operands, value] if operands[1].storage is not None or operands[1].learnt else [operands[0]]


KEEPS: Mapping[Keep, Callable[[At, Value, Sequence[Value]], Sequence[Value]]] = {
    "first": lambda at, value, operands: operands[:1],
    "second": lambda at, value, operands: operands[1:2],
    "all": lambda at, value, operands: operands,
    "result": lambda at, value, operands: (value,),
    "others": others,
    "ratio": lambda at, value, operands: operands[:1] if operands[1].learnt else (),
    "power": power,
    "input": lambda at, value, operands: operands[:1] if at.trains else (),
    "weights": lambda at, value, operands: operands[:1] if at.over == ALL else (),
}
"""What the words of a row stand for."""


@dataclass
class Step:
    """A forward pass and, in training, the backward pass."""

    plan: Plan
    sizes: Sizes
    training: bool
    tape: Tape = field(default_factory=Tape)
    done: list[Done] = field(default_factory=list)
    states: dict[str, list[Value]] = field(default_factory=dict)
    """Every state as it was after input and every block instance."""
    forward: float = 0
    """What was alive when the prediction was there."""

    def run(self) -> None:
        """Every section in order, then back."""
        program = self.plan.program
        kept = {str(node["name"]) for node in program.output.inputs if node["layer"] is not None}
        for instance, (path, section) in enumerate(program.sections()):
            results = self.section(instance, path, section)
            if path == "input" or path.startswith("layers."):
                self.update(results, kept)
        for name, values in self.states.items():
            for value in values if name in kept else values[-1:]:
                self.tape.release(value)
        self.forward = self.tape.live
        if self.training:
            self.backward()

    def update(self, results: Mapping[str, Value], kept: set[str]) -> None:
        """States after a section; those before are let go where nobody reads them later."""
        for name, values in self.states.items():
            if name not in results:
                values.append(values[-1])
        for name, value in results.items():
            past = self.states.setdefault(name, [])
            if past and name not in kept:
                self.tape.release(past[-1])
            past.append(value)

    def section(self, instance: int, path: str, section: Section) -> dict[str, Value]:
        """Run the nodes; the results stay alive, everything else that has a name until the end."""
        states = {name: values[-1].learnt for name, values in self.states.items()}
        still = frozen(self.plan.program.settings)
        trained = {id(node) for node in section.nodes if trains(path, node, still)}
        flowing = learnt(section, states, trained)
        scope = Scope(section, self.tape)
        found: dict[int, Value] = {}
        for node in section.nodes:
            found[id(node)] = self.node(instance, node, found, flowing, id(node) in trained)
            scope.bind(node, found)
        results = {name: found[id(node)] for name, node in section.results}
        for value in results.values():
            self.tape.retain(value)
        scope.close()
        return results

    def node(
        self, instance: int, node: Node, found: Mapping[int, Value], flowing: frozenset[int], trains: bool
    ) -> Value:
        """Run a node."""
        if node.op == "state":
            past = self.states[str(node["name"])]
            return past[-1 if node["layer"] is None else int(str(node["layer"]))]
        choice = self.plan.choices.get(id(node))
        at = At(node, choice.form.backend if choice else "", self.sizes, flowing, trains)
        cost, operands = cost_of(at), [found[id(operand)] for operand in node.operands]
        made, key = cost.made(at), (instance, id(node))
        storage = key if made else operands[0].storage if operands else None
        value = Value(key, storage, made or at.entries, id(node) in flowing)
        if cost.kernel == "structure":
            self.tape.hold(key, made)  # the batch keeps it
        self.tape.touch(made + cost.temporary(at))
        self.done.append(Done(value, operands, cost, at, [*self.kept(value, operands, cost, at)]))
        return value

    def kept(self, value: Value, operands: Sequence[Value], cost: Cost, at: At) -> Iterator[Hashable]:
        """What the gradient needs, held."""
        if not (self.training and value.learnt):
            return
        needed = [one for keep in cost.keeps for one in KEEPS[keep](at, value, operands)]
        for one in needed:
            if one.storage is not None:
                self.tape.hold(one.storage, one.size)
                yield one.storage
        if extra := cost.extra(at):
            self.tape.hold(("extra", value.key), extra)
            yield ("extra", value.key)

    def backward(self) -> None:
        """The gradient of every value, from the last to the first; what an operation kept is let go behind it."""
        grads: dict[Hashable, Hashable] = {}
        last = self.done[-1].value
        self.tape.hold(("grad", last.key), last.size)
        grads[last.key] = ("grad", last.key)
        for done in reversed(self.done):
            own = grads.pop(done.value.key, None)
            if own is not None:
                done.reached = True
                self.gradients(done, own, grads)
                self.tape.drop(own)
            for kept in done.kept:
                self.tape.drop(kept)

    def gradients(self, done: Done, own: Hashable, grads: dict[Hashable, Hashable]) -> None:
        """Gradients of an operation's operands and weights."""
        weights = sum(prod(weight.shape) for _, weight in weights_of(done.at.node) if weight.trainable)
        self.tape.hold(("weights", done.value.key), weights)
        for operand in done.operands:
            if not operand.learnt:
                continue
            if operand.key in grads:
                done.added += operand.size
                self.tape.touch(operand.size)
                continue
            through = done.cost.passes and operand.size == done.value.size
            grads[operand.key] = own if through else ("grad", operand.key)
            self.tape.hold(grads[operand.key], operand.size)
        self.tape.touch(done.cost.back(done.at))


BYTES = 4
"""Of a number in single precision."""


def peak(plan: Plan, sizes: Sizes, training: bool = True) -> float:
    """Bytes alive at the peak of a step beside weights and batch: activations, and the gradients of all there is.

    Without `training`, those of a forward pass that keeps nothing.
    """
    step = Step(plan, sizes, training)
    step.run()
    return BYTES * step.tape.peak


@dataclass(frozen=True)
class Memory:
    """Bytes of tensors at the peak of a step."""

    weights: float
    """Parameters, and in training what the optimiser holds for them; their gradients are among the activations."""
    batch: float
    """What the data set gives, index sets, and what is made from them once a batch."""
    activations: float
    """Values, and in training what the gradient keeps, and gradients; structural encodings too."""

    @property
    def total(self) -> float:
        """All of them."""
        return self.weights + self.batch + self.activations


def memory(plan: Plan, sizes: Sizes, training: bool = True, states: int = 2) -> Memory:
    """What a step takes at its peak; `states` are the numbers that the optimiser holds for each parameter, 2 by Adam.

    Modules that archspec did not write count as if they kept nothing.
    """
    weights = BYTES * count(plan.program)
    batch = data_bytes(plan, sizes) + index_bytes(plan, sizes)
    return Memory(weights * (1 + states * training), batch, peak(plan, sizes, training))
