"""The changes between two specs: all of them make the second, none the first, and what is none is left out."""

import pytest

from archspec.bisect.edits import ASIDE, Between, between, flat, scored_otherwise
from archspec.bisect.pair import listed
from archspec.compare.consequences import Checked
from archspec.compare.same import same
from archspec.diagnostics import SpecError
from archspec.interface.checking import compiled
from archspec.syntax.load import load_spec, parse_spec
from archspec.syntax.spec import Spec

PAIRS = [
    ("gin", "gin_norms_off"),
    ("gin", "position_gating"),
    ("position_gating", "gin"),
    ("gin_as_attention", "position_attention"),
    ("gat", "gatv2"),
    ("gating_norms_on_batch_batch", "gating_norms_off_layer_layer"),
]


def settings_of(spec: Spec) -> dict[tuple[str, ...], object]:
    """Everything apart from the equations and from what every spec between has from the first."""
    found = flat(spec.settings.model_dump(exclude={"model"}))
    return {path: one for path, one in found if not any(path[: len(out)] == out for out in ASIDE)}


@pytest.mark.parametrize(("good", "bad"), PAIRS)
def test_all_changes_make_the_second_spec_and_none_the_first(good, bad):
    first, second = compiled(load_spec(good)), compiled(load_spec(bad))
    found = between(first, second)
    for numbers, end in ((range(len(found.edits)), second), (range(0), first)):
        made = compiled(found.spec(frozenset(numbers)))
        assert same(made.program, end.program) is not None
        assert settings_of(made.spec) == settings_of(end.spec)
    assert all(edit.shown for edit in found.edits)


GOOD = """\
name: good
model:
  sizes: {d: 8, wide: 16}
  input: x = encode(x, d)
  stack: 2 * layer
  output: linear(x, out)
  where:
    layer: |
      h = sum[j in N](x[j]) + x
      x = x + update(norm(h))
    update(h): h -> linear(wide) -> relu -> linear(d)
    norm: batch_norm
data: {name: pattern, limit: 12, batch_size: 4}
train: {epochs: 3, schedule: {name: plateau, patience: 3}}
"""


def changes(*replaced: tuple[str, str], good: str = GOOD) -> Between:
    """The changes of a spec with some texts replaced."""
    bad = good
    for old, new in replaced:
        assert old in bad
        bad = bad.replace(old, new)
    return between(*(checked(text) for text in (good, bad)))


def checked(text: str) -> Checked:
    return compiled(parse_spec(text))


def names(found: Between) -> list[str]:
    return [edit.name for edit in found.edits]


NONE = [
    [("norm(h)", "normed(h)"), (" norm:", " normed:")],
    [("sum[j in N](x[j]) + x", "x + sum[j in N](x[j])")],
    [("  norm: batch_norm\n", "  norm: batch_norm\n    unused(h): relu(h)\n")],
    [("epochs: 3", "epochs: 3, seed: 7, threads: 1, checkpoint_every: 2, watch: {every: 3}")],
    [("name: good", "name: bad\nabout: the same")],
    [("update(h): h -> linear(wide) -> relu -> linear(d)", "update(g): linear(relu(linear(g, wide)), d)")],
]


@pytest.mark.parametrize("replaced", NONE)
def test_what_is_no_change(replaced):
    assert names(changes(*replaced)) == []


SOME = [
    ([("norm: batch_norm", "norm: layer_norm"), ("wide", "hidden")], ["norm"]),
    ([("wide: 16", "wide: 32"), ("2 * layer", "3 * layer")], ["wide", "stack"]),
    ([("name: plateau, patience: 3", "name: plateau, patience: 5, factor: 0.1")],
     ["train.schedule.patience", "train.schedule.factor"]),
    ([("name: plateau, patience: 3", "name: cosine, warmup: 1")], ["train.schedule"]),
    ([("epochs: 3", "epochs: 3, optimizer: {name: sgd, lr: 1e-2, momentum: 0.9}")],
     ["train.optimizer.lr", "train.optimizer"]),
    ([("    norm: batch_norm\n", ""), ("update(norm(h))", "update(batch_norm(h))")], []),
    ([("update(norm(h))", "gated(norm(h))"), ("    norm:", "    gated(h): sigmoid(update(h)) * more(h)\n"
      "    more(h): linear(h, extra) -> linear(d)\n    norm:"), ("wide: 16", "wide: 16, extra: 2 * wide")], ["layer"]),
    ([("data:", "parameters: {layers.*.weight: {init: 0}}\ndata:")], ["parameters.layers.*.weight"]),
]  # fmt: skip


@pytest.mark.parametrize(("replaced", "wanted"), SOME)
def test_what_is_one(replaced, wanted):
    found = changes(*replaced)
    assert sorted(names(found)) == sorted(wanted)
    assert {edit.heading for edit in found.edits} <= {"architecture", "training", "weights set or frozen"}


def test_what_only_one_of_both_has_comes_with_what_refers_to_it():
    replaced, _ = SOME[6]
    made = changes(*replaced, ("epochs: 3", "epochs: 4"))
    assert names(made) == ["layer", "train.epochs"]
    with_layer, without = (made.spec(frozenset({number})) for number in (0, 1))
    assert ("gated" in with_layer.definitions, "extra" in with_layer.sizes, with_layer.settings.train.epochs) == (
        True,
        True,
        3,
    )
    assert ("gated" in without.definitions, "extra" in without.sizes, without.settings.train.epochs) == (
        False,
        False,
        4,
    )


def test_a_definition_in_place_of_one_of_the_library_is_a_change():
    library = GOOD.replace("update(norm(h))", "residual(h, update)")
    own = ("    norm:", "    residual(x, f): x + 0.5 * f(x)\n    norm:")
    found = changes(own, good=library)
    assert names(found) == ["residual"]
    assert "residual" not in found.spec(frozenset()).definitions
    assert "residual" in found.spec(frozenset({0})).definitions


def test_patterns_in_another_order_are_one_change_since_a_later_one_counts():
    patterns = "parameters: {{{}: {{init: 0}}, {}: {{init: 1}}}}\ndata:"
    one, other = "layers.*.update.linear.weight", "layers.0.*.weight"
    good = GOOD.replace("data:", patterns.format(one, other))
    bad = good.replace(patterns.format(one, other), f"parameters: {{{other}: {{init: 1}}, {one}: {{init: 0}}}}\ndata:")
    found = between(checked(good), checked(bad))
    assert names(found) == ["parameters"]
    assert [*found.spec(frozenset({0})).settings.parameters] == [other, one]
    assert [*found.spec(frozenset()).settings.parameters] == [one, other]


def test_an_argument_and_its_caller_cannot_be_changed_alone():
    found = changes(
        ("update(norm(h))", "update(norm(h), 2)"), ("update(h):", "update(h, n):"), ("linear(wide)", "linear(n * wide)")
    )
    assert names(found) == ["layer", "update"]
    for number in range(2):
        with pytest.raises(SpecError):
            compiled(found.spec(frozenset({number})))
    compiled(found.spec(frozenset({0, 1})))


def test_sizes_stand_behind_those_that_they_are_made_from():
    found = changes(("wide: 16}", "heads: 4, c: d / heads, wide: 4 * c}"))
    assert names(found) == ["wide"]
    assert [*found.spec(frozenset({0})).sizes] == ["d", "heads", "c", "wide"]


def test_scores_of_something_else_are_told():
    one, other = (parse_spec(text) for text in (GOOD, GOOD.replace("limit: 12", "limit: 13")))
    assert scored_otherwise(one, other) == [("data.limit", 12, 13)]
    assert scored_otherwise(one, one) == []
    assert [listed(names) for names in (["a"], ["a", "b"], ["a", "b", "c"])] == ["a", "a and b", "a, b and c"]


def test_without_a_proof_everything_that_is_written_differently_counts(monkeypatch):
    replaced = [("sum[j in N](x[j]) + x", "x + sum[j in N](x[j])"), ("norm(h)", "normed(h)"), (" norm:", " normed:")]
    monkeypatch.setattr("archspec.bisect.edits.is_whole", lambda *_: False)
    found = changes(*replaced, ("wide: 16", "wide: 32"))
    assert sorted(names(found)) == ["layer", "wide"]
    made = found.spec(frozenset({0, 1}))
    assert ([*made.definitions], made.settings.model.sizes["wide"]) == (["layer", "update", "normed"], 32)
