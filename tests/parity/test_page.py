"""The page about the field's architectures is what its program writes, but for the digits of rounding."""

import re

from tests.parity import page
from tests.parity.layers import ROWS
from tests.parity.test_pyg import TOLERANCE
from tests.test_field import FIELD

TEXT = page.PAGE.read_text(encoding="utf-8")
PARTS = re.compile(r"<!-- measured: (\w+) -->\n(.*?)\n<!-- end -->", re.DOTALL)
WRITTEN = dict(PARTS.findall(TEXT))
NUMBER = re.compile(r"(?<=\| )[0-9]e[-+][0-9]+(?= \|)")


def test_parity_is_up_to_date() -> None:
    assert NUMBER.sub("0e+00", WRITTEN["parity"]) == page.parity(lambda row: 0.0), "run `python -m tests.parity.page`"


def test_every_difference_is_rounding() -> None:
    found = [float(one) for one in NUMBER.findall(WRITTEN["parity"])]
    assert len(found) >= len(ROWS) - 1
    assert max(found) < TOLERANCE


def test_counts_are_up_to_date() -> None:
    assert WRITTEN["counts"] == page.counts(), "run `python -m tests.parity.page`"


def test_every_architecture_and_every_partner_is_there() -> None:
    assert {one.spec for one in page.ARCHITECTURES} >= set(FIELD) - {"gated_gcn_bonds"}
    assert {row for one in page.ARCHITECTURES for row in one.rows} == set(ROWS) - {"GraphConv"}
