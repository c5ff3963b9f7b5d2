"""`distance` is infinite where no way leads from j to i: what makes a NaN or an infinite state of it is reported."""

from archspec.check.values import Frame
from archspec.ir.infinite import infinities
from archspec.ir.nodes import Section

CURE = "bound or choose it first: `minimum(distance[i,j], 8)`, `distance[i,j] if distance[i,j] <= 8 else 0`"


def check_distances(section: Section, frame: Frame) -> None:
    """Report the first value of a section that makes a NaN of an infinite distance, or is a result that may be one."""
    seen = infinities(value for _, value in section.results)
    if not seen:
        return
    last, held = seen[-1]
    if held is None:
        message = "`distance` is infinite where no way leads from j to i, and makes a NaN here"
        frame.error("E0320", last.span, message, help=CURE)
        return
    unbounded = {id(node) for node, held in seen if held and held.signs}
    for name, value in section.results:
        if id(value) in unbounded:
            what = f"the state {name}" if name else "the prediction"
            message = f"{what} may be infinite: `distance` is, where no way leads from j to i"
            frame.error("E0320", value.span, message, help=CURE)
            return
