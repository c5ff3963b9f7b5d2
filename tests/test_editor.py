"""What the editor knows of a text, without a client: names, completions, whatever is typed."""

import pytest

from archspec.compare.same import same
from archspec.editor.completion import completions
from archspec.editor.edits import Edit, Refused, changed, rename
from archspec.editor.hover import hover
from archspec.editor.names import Place, places
from archspec.editor.reading import Reading, read
from archspec.syntax.load import shipped_specs
from tests.test_lsp import SPEC


@pytest.mark.parametrize("name", ["gin", "gated_gcn", "position_gating"])
def test_every_name_of_a_spec_can_be_changed(name: str) -> None:
    """The spec with another name compiles, and has as many weights; those of `parameters:` aside."""
    path = shipped_specs()[name]
    before = read(path.read_text(encoding="utf-8"), str(path))
    given = [place for place in places(before) if place.given and place.thing.kind not in ("index",)]
    for place in {one.thing: one for one in given if ":" not in one.thing.scope}.values():
        edits, why = renamed(before, place)
        if why:  # the library's definitions read sizes by their names
            assert (place.thing.kind, "archspec/library/" in why) == ("size", True), why
            continue
        after = read(changed(before.source.text, edits), str(path))
        assert after.problems == ()
        assert before.program is not None
        assert after.program is not None
        assert same(before.program, after.program) is not None, place.thing


def renamed(reading: Reading, place: Place) -> tuple[list[Edit], str]:
    """The edits, or why there are none."""
    try:
        return rename(reading, place.span.start, "renamed_"), ""
    except Refused as error:
        return [], str(error)


def test_completions_outlast_what_cannot_be_read() -> None:
    last = read(SPEC, "a.yaml")
    broken = SPEC.replace("gate(s, norm = tanh)", "[gate").replace("data:", "  data: [")
    now = read(broken, "a.yaml")
    assert now.document is None
    assert {"gate", "heads", "x"} <= {item.text for item in completions(now, broken[: broken.index("[gate")], last)}


@pytest.mark.parametrize("end", range(0, len(SPEC), 25))
def test_whatever_is_typed_is_survived(end: int) -> None:
    for text in (SPEC[:end], SPEC[:end] + SPEC[end + 3 :], f"{SPEC[:end]}(😀{SPEC[end:]}"):
        reading = read(text, "typed.yaml")
        assert reading.source.text == text
        hover(reading, min(end, len(text)))
        assert all(item.text for item in completions(reading, text[:end], reading))
