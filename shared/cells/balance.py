"""Who goes where so that no cell holds much more than its share, and few tenants move for it (T6).

A ring alone gives shares as uneven as chance is: of 1,000 tenants on 50 cells the fullest gets one and a half times the
mean or more, with however many virtual nodes. So a cell takes no more than its share and a little headroom, and a
tenant goes to the first cell in its order of preference that has room. Where somebody went therefore depends on who
came before: it is recorded, and what follows from a cell's coming or going is planned from the record, not by asking
the ring again, which would shift tenants between cells that nothing happened to.

Source: Mirrokni, Thorup and Zadimoghaddam, "Consistent Hashing with Bounded Loads", SODA 2018.
"""

import heapq
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from shared.cells.errors import NoHealthyCellError
from shared.cells.models import Cell, CellId
from shared.cells.ring import HashRing, ring_of
from shared.kernel.ids import TenantId

HEADROOM_PERCENT: Final = 5
"""How far above its share a cell is filled. What one cell holds is what its leaving moves, so this bounds both."""


@dataclass(frozen=True, slots=True)
class PlannedMove:
    tenant: TenantId
    source: CellId
    target: CellId


def capacities(cells: Sequence[Cell], tenants: int) -> dict[CellId, int]:
    """Return how many of `tenants` each of `cells` takes; together always at least all."""
    whole = sum(cell.weight for cell in cells)
    return {
        cell.cell_id: max(
            -(-tenants * cell.weight // whole), tenants * cell.weight * (100 + HEADROOM_PERCENT) // (100 * whole)
        )
        for cell in cells
    }


def with_room(cells: Sequence[Cell], held: Mapping[CellId, int]) -> list[Cell]:
    """Return those of `cells` that can take one tenant more, given how many each holds."""
    limits = capacities(cells, sum(held.get(cell.cell_id, 0) for cell in cells) + 1)
    return [cell for cell in cells if held.get(cell.cell_id, 0) < limits[cell.cell_id]]


def preferred(tenant: TenantId, cells: Sequence[Cell], candidates: Iterable[Cell]) -> CellId:
    """Return the first of `candidates` in the tenant's order of preference among `cells`.

    Raises: NoHealthyCellError without a candidate.
    """
    wanted = {cell.cell_id for cell in candidates}
    for cell_id in ring_of(cells).walk(tenant):
        if cell_id in wanted:
            return cell_id
    raise NoHealthyCellError


def place_all(tenants: Iterable[TenantId], cells: Sequence[Cell]) -> dict[TenantId, CellId]:
    """Return where `tenants` go that come one after the other, in this order, to healthy cells without load."""
    placed: dict[TenantId, CellId] = {}
    held: Counter[CellId] = Counter()
    for tenant in tenants:
        placed[tenant] = preferred(tenant, cells, with_room(cells, held))
        held[placed[tenant]] += 1
    return placed


def plan_joining(placed: Mapping[TenantId, CellId], cells: Sequence[Cell], newcomer: CellId) -> list[PlannedMove]:
    """Return the moves that give `newcomer`, one of `cells`, its share; nobody moves between other cells.

    Each comes from the cell that is fullest by then: its tenant that prefers the newcomer most.
    """
    weights = {cell.cell_id: cell.weight for cell in cells}
    held = Counter(placed.values())
    share = len(placed) * weights[newcomer] // sum(weights.values())
    candidates = _by_preference_for(newcomer, placed, ring_of(cells))
    donors = [(-held[cell] / weights[cell], cell) for cell in sorted(candidates)]
    heapq.heapify(donors)
    moves: list[PlannedMove] = []
    while donors and held[newcomer] + len(moves) < share:
        _, donor = heapq.heappop(donors)
        moves.append(PlannedMove(heapq.heappop(candidates[donor])[1], donor, newcomer))
        held[donor] -= 1
        if candidates[donor]:
            heapq.heappush(donors, (-held[donor] / weights[donor], donor))
    return moves


def plan_leaving(placed: Mapping[TenantId, CellId], rest: Sequence[Cell], leaver: CellId) -> list[PlannedMove]:
    """Return the moves that empty `leaver` into `rest`, the cells that stay; nobody else moves.

    Raises: NoHealthyCellError when nobody stays to take its tenants.
    """
    held = Counter(cell for cell in placed.values() if cell != leaver)
    moves = []
    for tenant in sorted(tenant for tenant, cell in placed.items() if cell == leaver):
        target = preferred(tenant, rest, with_room(rest, held)) if rest else None
        if target is None:
            raise NoHealthyCellError
        held[target] += 1
        moves.append(PlannedMove(tenant, leaver, target))
    return moves


def moved(placed: Mapping[TenantId, CellId], moves: Iterable[PlannedMove]) -> dict[TenantId, CellId]:
    """Return where everybody is after `moves`."""
    return {**placed, **{move.tenant: move.target for move in moves}}


def _by_preference_for(
    newcomer: CellId, placed: Mapping[TenantId, CellId], ring: HashRing
) -> dict[CellId, list[tuple[int, TenantId]]]:
    """Return, per cell, a heap of its tenants, the one first that has `newcomer` earliest in its order."""
    heaps: dict[CellId, list[tuple[int, TenantId]]] = {}
    for tenant, cell_id in placed.items():
        if cell_id != newcomer:
            rank = next(rank for rank, known in enumerate(ring.walk(tenant)) if known == newcomer)
            heapq.heappush(heaps.setdefault(cell_id, []), (rank, tenant))
    return heaps
