"""Tenants spread evenly, few of them move, and only those who must."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.cells.balance import capacities, moved, place_all, plan_joining, plan_leaving, preferred, with_room
from shared.cells.errors import NoHealthyCellError
from shared.cells.models import Cell, CellId
from shared.cells.ring import ring_of
from shared.kernel.ids import TenantId
from tests.benchmarks.cells import MOST_MOVED, MOST_UNEVEN, simulate


def cells_of(*weights):
    return [Cell(CellId(f"cell-{number}"), "eu-central-1", weight) for number, weight in enumerate(weights)]


def tenants_of(count, seed=0):
    return [TenantId(f"tenant-{seed}-{number}") for number in range(count)]


def fullness(placed, cells):
    """The fullest cell over its fair share, by weight."""
    held, whole = Counter(placed.values()), sum(cell.weight for cell in cells)
    return max(held[cell.cell_id] * whole / (cell.weight * len(placed)) for cell in cells)


weights = st.lists(st.integers(1, 4), min_size=2, max_size=12)
seeds = st.integers(0, 10**6)


@given(weights, st.integers(0, 500))
def test_capacities_always_take_everybody(weights, count):
    limits = capacities(cells_of(*weights), count)

    assert sum(limits.values()) >= count


@settings(max_examples=30, deadline=None)
@given(weights, seeds)
def test_placed_tenants_are_even_by_weight(weights, seed):
    cells = cells_of(*weights)
    placed = place_all(tenants_of(300 + 30 * sum(weights), seed), cells)

    assert fullness(placed, cells) <= MOST_MOVED


@settings(max_examples=30, deadline=None)
@given(weights, seeds)
def test_a_newcomer_gets_its_share_and_nothing_else_moves(weights, seed):
    *old, newcomer = cells = cells_of(*weights)
    placed = place_all(tenants_of(300 + 30 * sum(weights), seed), old)
    moves = plan_joining(placed, cells, newcomer.cell_id)
    share = newcomer.weight / sum(weights)

    assert {move.target for move in moves} <= {newcomer.cell_id}
    assert all(placed[move.tenant] == move.source != move.target for move in moves)
    assert len({move.tenant for move in moves}) == len(moves) <= share * len(placed)
    assert len(moves) > share * len(placed) - 1
    assert fullness(moved(placed, moves), cells) <= MOST_UNEVEN


@settings(max_examples=30, deadline=None)
@given(weights, seeds)
def test_a_leaver_is_emptied_and_nobody_else_moves(weights, seed):
    *rest, leaver = cells = cells_of(*weights)
    placed = place_all(tenants_of(300 + 30 * sum(weights), seed), cells)
    moves = plan_leaving(placed, rest, leaver.cell_id)

    assert {move.tenant for move in moves} == {tenant for tenant, cell in placed.items() if cell == leaver.cell_id}
    assert len(moves) <= MOST_MOVED * leaver.weight / sum(weights) * len(placed)
    assert fullness(moved(placed, moves), rest) <= MOST_MOVED


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 11)), max_size=14), seeds)
def test_bars_hold_through_any_comings_and_goings(changes, seed):
    """1,000 tenants; cells join and leave in any order between 2 and 12 of them."""
    cells = {cell.cell_id: cell for cell in cells_of(*[1] * 12)}
    present = list(cells)[:6]
    placed = place_all(tenants_of(1_000, seed), [cells[cell_id] for cell_id in present])
    for is_joining, number in changes:
        cell_id = CellId(f"cell-{number}")
        if is_joining == (cell_id in present) or (not is_joining and len(present) == 2):
            continue
        size = len(present) + is_joining
        present = [*present, cell_id] if is_joining else [known for known in present if known != cell_id]
        after = [cells[known] for known in present]
        moves = plan_joining(placed, after, cell_id) if is_joining else plan_leaving(placed, after, cell_id)
        placed = moved(placed, moves)

        assert len(moves) <= MOST_MOVED * 1_000 / size
        assert fullness(placed, after) <= MOST_MOVED


def test_bars_hold_for_a_thousand_tenants():
    for size in simulate(range(2, 12), [7]):
        assert size.most_uneven <= MOST_UNEVEN, size
        assert size.most_moved <= MOST_MOVED, size


def test_plans_are_the_same_whatever_order_records_were_read_in():
    cells = cells_of(1, 1, 2)
    placed = place_all(tenants_of(200), cells[:2])
    reversed_placed = dict(reversed(placed.items()))

    assert plan_joining(placed, cells, cells[2].cell_id) == plan_joining(reversed_placed, cells, cells[2].cell_id)
    assert plan_leaving(placed, cells[1:], cells[0].cell_id) == plan_leaving(
        reversed_placed, cells[1:], cells[0].cell_id
    )


def test_a_full_cell_is_passed_over_for_the_next_in_order():
    cells = cells_of(1, 1, 1)
    first, second, _ = ring_of(cells).walk(TenantId("acme"))
    held = {first: 10, second: 3}

    assert preferred(TenantId("acme"), cells, with_room(cells, held)) == second


def test_the_last_cell_cannot_leave():
    cells = cells_of(1)

    with pytest.raises(NoHealthyCellError):
        plan_leaving(place_all(tenants_of(3), cells), [], cells[0].cell_id)
    with pytest.raises(NoHealthyCellError):
        preferred(TenantId("acme"), cells, [])
