"""Pictures of specs: what is in them, where it stands, and the two ways to write them down."""

import re
import xml.etree.ElementTree as xml
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings

from archspec.commands.show import command
from archspec.cost.details import details
from archspec.notation.details import Details, belongs, detailed, within
from archspec.notation.diagram import Box, Diagram, Frame, Read, Step, Sum, diagram, flat
from archspec.notation.dot import dot
from archspec.notation.lanes import Sheet, laid_out
from archspec.notation.layout import Shape
from archspec.notation.svg import svg
from archspec.pipeline import compile_spec
from archspec.syntax.load import load_library, load_spec, parse_spec, shipped_specs
from tests.programs.specs import specs

SPECS = list(shipped_specs())


def drawn(layer: str, where: str = "", stack: str = "4 * layer", penalty: str = "") -> Diagram:
    """The picture of a spec with that layer on the states x and p."""
    lines = "\n".join(f"      {line}" for line in layer.splitlines())
    more = "\n".join(f"    {line}" for line in where.splitlines())
    return diagram(
        parse_spec(
            f"name: drawn\nmodel:\n  sizes: {{d: 8}}\n  input: |\n    x = encode(x, d)\n    p = linear(hops(0..2), d)\n"
            f"  stack: {stack}\n  output: linear(x, out)\n{penalty}  where:\n    layer: |\n{lines}\n{more}\n"
        )
    )


def layer(one: Diagram) -> tuple[Step, ...]:
    """The steps of the layer."""
    return one.frames[1].steps


def said(part: Read | Box | Sum | None) -> str:
    """A part in one line, what comes from above first."""
    if isinstance(part, Sum):
        return f"({' + '.join(map(said, part.terms))})"
    if isinstance(part, Box):
        return f"{said(part.above)} > {part.label}" if part.above else part.label
    return part.name if part else ""


TAKEN_APART = {
    "x = pre_norm(x, mlp)": ["x += layer_norm > mlp"],
    "x = x -> pre_norm(mlp)": ["x += layer_norm > mlp"],
    "x = post_norm(x, mlp, norm = batch_norm)": ["x = (x + mlp) > batch_norm"],
    "x = pre_norm(x, h => relu(h))": ["x += layer_norm > relu"],
    "x = pre_norm(mlp(x), mlp)": ["x2 = mlp", "x = (x2 + layer_norm > mlp)"],
    "x = transformer(x, attend = smooth)": ["h = (x + layer_norm > smooth)", "x = (h + layer_norm > ffn)"],
    "h = x\nx = transformer(x)": ["h = x", "h2 = (x + layer_norm > attention)", "x = (h2 + layer_norm > ffn)"],
    "x = mine(x, mlp)": ["x += mlp"],
    "x = sum[j in N](pre_norm(x, mlp)[j])": ["x = ∑[j ∈ N] (pre_norm(x, mlp))ⱼ"],
    "x = endless(x, mlp)": ["x += mlp > endless(mlp)"],
    "x = x + mlp(x) + relu(x)": ["x += (mlp + relu)"],
    "x = gin(x)": ["x = gin"],
    "x = linear(sum[j in N](x[j]), d)": ["x = ∑[j ∈ N] xⱼ > linear(d)"],
    "x = concat(mlp(x), relu(x)) -> linear(d)": ["x = concat(mlp(x), relu(x)) > linear(d)"],
    "x = x + layered(layer_norm(x), p)": ["x += layer_norm > layered(·, p)"],
    "a, b = relu(x), mlp(x)\nx = a + b": ["a = relu", "b = mlp", "x = (a + b)"],
    "x, p = two(x, p)": ["x, p = two(x, p)"],
}  # fmt: skip

WHERE = "endless(x, f): x + endless(f(x), f)\nmine: residual\nlayered(x, p): x\ntwo(x, p): x, p"


@pytest.mark.parametrize("text", TAKEN_APART)
def test_a_layer_is_taken_apart(text: str) -> None:
    steps = layer(drawn(text, WHERE))
    signs = [
        f"{', '.join(name for name, _ in one.targets)} {'+=' if one.adds else '='} {said(one.part)}" for one in steps
    ]
    assert signs == TAKEN_APART[text]


def test_gps_is_message_passing_beside_attention() -> None:
    first, second = layer(diagram(load_spec("gps")))
    assert said(first.part) == "((x + messages(x, e)) > batch_norm + (x + attention) > batch_norm)"
    assert said(second.part) == "(h + ffn(wide = 2d)) > batch_norm"
    assert diagram(load_spec("gps")).notes == (
        "messages(x, e) = x + ∑[j ∈ N] relu(xⱼ + eᵢ,ⱼ) → linear(d) → relu → linear(d)",
    )


def test_repeats_are_folded() -> None:
    assert [(one.times, one.title) for one in drawn("x = mlp(x)").frames] == [
        ("", "input"),
        ("4 ×", "layer"),
        ("", "output"),
    ]
    nested = drawn("x = mlp(x)", "b: |\n  x = relu(x)", "layer -> 2 * (layer -> 3 * b)").frames
    assert [(one.times, one.title) for one in nested] == [("", "input"), ("", "layer"), ("2 ×", ""), ("", "output")]
    assert [(one.times, one.title) for one in nested[2].frames] == [("", "layer"), ("3 ×", "b")]
    assert drawn("x = mlp(x)", stack="tied(8 * layer)").frames[1].title == "layer, one set of weights"


def test_arguments_of_a_block_stand_in_its_frame() -> None:
    one = drawn("x = relu(x)", "wide(k): |\n  x = linear(x, k)", "layer -> wide(2 * d)")
    assert [(frame.title, said(frame.steps[0].part)) for frame in one.frames[1:3]] == [
        ("layer", "relu"),
        ("wide(2d)", "linear(2d)"),
    ]


def test_a_penalty_has_a_frame() -> None:
    one = drawn("x = mlp(x)", penalty="  penalty: mean[i in V](sum(x)[i] ** 2)\n")
    assert [frame.title for frame in one.frames] == ["input", "layer", "penalty", "output"]


@pytest.mark.parametrize("name", SPECS)
def test_states_keep_their_lane(name: str) -> None:
    one = diagram(load_spec(name))
    chips = [shape for shape in laid_out(one).shapes if shape.kind == "chip" and shape.value in one.states]
    places = {(shape.value, shape.points[0][0]) for shape in chips}
    assert len(places) == len({value for value, _ in places}) == len({x for _, x in places})


def segments(shape: Shape) -> Iterator[tuple[float, float, float, float]]:
    """The straight pieces of a way: left, top, right, bottom."""
    for (a, b), (x, y) in zip(shape.points, shape.points[1:], strict=False):
        assert a == x or b == y, shape
        yield min(a, x), min(b, y), max(a, x), max(b, y)


def crossings(sheet: Sheet) -> list[tuple[Shape, Shape]]:
    """Ways and lanes that pass through a box, boxes that overlap, and what lies outside of the picture."""
    boxes = [shape for shape in sheet.shapes if shape.kind == "box"]
    found = []
    for shape in sheet.shapes:
        lines = shape.kind in ("way", "arrow", "around", "lane")
        pieces = list(segments(shape)) if lines else [(*shape.points[0], *shape.points[-1])]
        found += [(shape, shape) for x, y, a, b in pieces if min(x, y) < 0 or a > sheet.width or b > sheet.y]
        for box in boxes if lines or shape.kind == "box" else ():
            (left, top), (right, bottom) = box.points
            inside = (x < right and a > left and y < bottom and b > top for x, y, a, b in pieces)
            found += [(shape, box)] if shape is not box and any(inside) else []
    return found


@pytest.mark.parametrize("name", SPECS)
def test_no_way_passes_through_a_box(name: str) -> None:
    assert crossings(laid_out(diagram(load_spec(name)))) == []


def test_the_check_of_ways_can_fail() -> None:
    sheet = laid_out(diagram(load_spec("gin")))
    (left, top), (right, _) = next(shape.points for shape in sheet.shapes if shape.kind == "box")
    sheet.shapes.append(Shape("way", ((left - 5, top + 5), (right + 5, top + 5))))
    assert len(crossings(sheet)) == 1


@pytest.mark.parametrize("name", SPECS)
def test_svg_stands_alone(name: str) -> None:
    text = svg(diagram(load_spec(name)))
    root = xml.fromstring(text)
    assert root.tag.endswith("svg")
    assert name.split("_")[0] in root.attrib["aria-label"]
    assert "prefers-color-scheme: dark" in text
    assert not re.search(r"url\(|href|@import", text)
    assert " id=" not in text  # several stand in one page


@pytest.mark.parametrize("name", SPECS)
def test_every_arrow_of_dot_joins_boxes(name: str) -> None:
    text = dot(diagram(load_spec(name)))
    boxes = re.findall(r"^ +(n\d+) \[label", text, re.MULTILINE)
    assert len(set(boxes)) == len(boxes)
    ends = {end for pair in re.findall(r"^ +(n\d+) -> (n\d+)", text, re.MULTILINE) for end in pair}
    assert ends <= set(boxes)
    assert text.count("{") == text.count("}")


def test_dot_has_frames_lanes_and_residual_ways() -> None:
    text = dot(diagram(load_spec("edge_stream_transformer")))
    for label in ("input", "4 × layer", "output"):
        assert f'label="{label}";' in text
    assert len(re.findall(r'-> n\d+ \[.*group="x", penwidth', text)) == 2  # x and p go around twice each
    assert len(re.findall(r'-> n\d+ \[.*group="p", penwidth', text)) == 2


def placed(frame: Frame, own: Details, known: dict) -> Iterator[tuple[str, int]]:
    """The path of each weight of a frame, and in how many different boxes it is."""
    boxes = [box for step in frame.steps for box in within(step.part)]
    for one in own.weights:
        numbers = (tuple(at for at, other in enumerate(own.weights) if belongs(other, box, known)) for box in boxes
                   if belongs(one, box, known))  # fmt: skip
        yield one.path, len(set(numbers))


@pytest.mark.parametrize(
    "name", ["gps", "gin", "grit", "edge_stream_transformer", "position_attention_unreachable", "pna"]
)
def test_every_weight_is_told_in_one_box(name: str) -> None:
    spec = load_spec(name)
    program = compile_spec(spec).program
    known = {**load_library(), **spec.definitions}
    found = details(program)
    for frame in (one for outer in diagram(spec).frames for one in flat(outer)):
        assert {path: count for path, count in placed(frame, found[frame.block][0], known) if count != 1} == {}


def test_details_are_axes_and_shapes() -> None:
    spec = load_spec("edge_stream_transformer")
    program = compile_spec(spec).program
    one = detailed(diagram(spec), spec, details(program))
    assert [frame.remark for frame in one.frames] == ["x (d), p (dp) per pair in V"] * 2 + ["x (d)"]
    boxes = {box.label: box.remarks for step in layer(one) for box in within(step.part)}
    assert boxes["mlp"] == ("256×64 + 256", "64×256 + 64", "33,088 in all")
    assert boxes["softmax[j ∈ V](mᵢ,ⱼ)"] == ()
    assert [label for step in layer(one) for _, label in step.targets][:3] == [
        "m (heads)",
        "v (heads, c)",
        "a (heads)",
    ]
    norms = [box.remarks for step in layer(one) for box in within(step.part) if box.label == "layer_norm"]
    assert norms == [("64 + 64",), ("16 + 16",)]  # two calls of one definition, each with its own


def shown(*arguments: str) -> str:
    """What `archspec show` prints."""
    return CliRunner().invoke(command, arguments, catch_exceptions=False, standalone_mode=False).output


def test_the_ending_says_how_it_is_written(tmp_path: Path) -> None:
    for ending, begins in ((".svg", "<svg "), (".dot", "digraph "), (".gv", "digraph ")):
        path = tmp_path / f"gin{ending}"
        assert shown("gin", "--as", "diagram", "-o", str(path)) == ""
        assert path.read_text(encoding="utf-8").startswith(begins)
    assert shown("gin", "--as", "diagram") == (tmp_path / "gin.dot").read_text(encoding="utf-8")
    assert "110×110 + 110 (2 times)" in shown("gin", "--as", "diagram", "--detail")


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(specs())
def test_pictures_of_random_specs(text: str) -> None:
    spec = parse_spec(text)
    one = diagram(spec)
    assert crossings(laid_out(one)) == []
    xml.fromstring(svg(one))
    ends = {end for pair in re.findall(r"^ +(n\d+) -> (n\d+)", dot(one), re.MULTILINE) for end in pair}
    assert ends <= set(re.findall(r"^ +(n\d+) \[label", dot(one), re.MULTILINE))
