"""A plan as text: the optimised program with the form of every fused operation and what the others would cost."""

from archspec.ir.nodes import Node
from archspec.ir.printer import program_text
from archspec.passes.schedule import BATCH, Plan


def plan_text(plan: Plan) -> str:
    """The plan; costs are estimates for a training step over a batch of 32 graphs."""

    def remark(node: Node) -> str:
        choice = plan.choices.get(id(node))
        return f"by {choice.form.backend}: {choice.reason}" if choice else ""

    return f"# estimates are for forward and backward over {BATCH} graphs\n\n{program_text(plan.program, remark)}"
