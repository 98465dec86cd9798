"""The T6 rule as a table."""

import pytest

from shared.cells.errors import NoHealthyCellError
from shared.cells.models import Cell, CellId, Observation
from shared.cells.routing import T6, choose_cell, locality, score

HOME = "eu-central-1"
PRIMARY = "a"


def cell(name, load=0.0, *, ill=False, region=HOME, latency_ms=0.0):
    return Cell(CellId(name), region, seen=Observation(not ill, load, latency_ms))


@pytest.mark.parametrize(
    ("cells", "chosen"),
    [
        pytest.param([cell("a", 0.79), cell("b")], "a", id="below the limit: the primary, though others idle"),
        pytest.param([cell("a", 0.8), cell("b")], "b", id="at the limit: the best"),
        pytest.param([cell("a", 0.8), cell("b", 0.9)], "a", id="a busy primary competes"),
        pytest.param([cell("a", ill=True), cell("b", 1.0)], "b", id="an ill primary does not, even against a full one"),
        pytest.param([cell("b", 1.0)], "b", id="a primary that is gone"),
        pytest.param([cell("a", 0.9), cell("b", ill=True)], "a", id="a busy primary alone"),
        pytest.param([cell("a", 0.9), cell("c"), cell("b")], "b", id="equal scores: the smaller id"),
        pytest.param(
            [cell("a", ill=True), cell("b", 0.5, region=HOME), cell("c", 0.0, region="us-east-1")], "b",
            id="0.4 locality beats half of 0.4 load",
        ),
        pytest.param(
            [cell("a", ill=True), cell("b", 0.7, region=HOME), cell("c", 0.0, region="eu-west-1")], "c",
            id="the same continent is half as near",
        ),
        pytest.param(
            [cell("a", ill=True), cell("b", 0.3, latency_ms=0), cell("c", 0.0, latency_ms=250)], "c",
            id="0.12 of load beats 0.10 of latency",
        ),
        pytest.param(
            [cell("a", ill=True), cell("b", 0.2, latency_ms=0), cell("c", 0.0, latency_ms=250)], "b",
            id="0.10 of latency beats 0.08 of load",
        ),
        pytest.param(
            [cell("a", ill=True), cell("b", 0.1, latency_ms=500), cell("c", 0.0, latency_ms=9_000)], "c",
            id="slow is slow",
        ),
    ],
)  # fmt: skip
def test_choice(cells, chosen):
    assert choose_cell(CellId(PRIMARY), cells, HOME) == chosen
    assert choose_cell(CellId(PRIMARY), cells[::-1], HOME) == chosen


@pytest.mark.parametrize("cells", [[], [cell("a", ill=True)], [cell("a", ill=True), cell("b", ill=True)]])
def test_no_healthy_cell_is_an_error_of_its_own(cells):
    with pytest.raises(NoHealthyCellError) as refused:
        choose_cell(CellId(PRIMARY), cells, HOME)

    assert refused.value.code == "no-healthy-cell"


def test_weights_are_those_of_the_requirement():
    assert (T6.busy_load, T6.locality, T6.load, T6.latency) == (0.8, 0.4, 0.4, 0.2)


@pytest.mark.parametrize(
    ("seen", "region", "expected"),
    [
        (Observation(load=0.0, latency_ms=0), HOME, 1.0),
        (Observation(load=1.0, latency_ms=500), "us-east-1", 0.0),
        (Observation(load=1.0, latency_ms=500), HOME, 0.4),
        (Observation(load=0.0, latency_ms=500), "us-east-1", 0.4),
        (Observation(load=1.0, latency_ms=0), "us-east-1", 0.2),
        (Observation(load=0.25, latency_ms=100), "eu-west-1", 0.4 * 0.5 + 0.4 * 0.75 + 0.2 * 0.8),
    ],
)
def test_score(seen, region, expected):
    assert score(Cell(CellId("a"), region, seen=seen), HOME) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("region", "nearness"), [(HOME, 1.0), ("eu-west-1", 0.5), ("us-east-1", 0.0), ("eu", 0.5), ("europe-1", 0.0)]
)
def test_locality(region, nearness):
    assert locality(region, HOME) == nearness
