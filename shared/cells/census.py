"""Who is in which cell, and who moves: read from the placements, with those who were never placed (T6)."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from shared.cells.models import CellId
from shared.cells.placements import MoveState, Placement
from shared.cells.places import cell_of, place_in
from shared.cells.ports import Everybody, PlacementStore
from shared.kernel.ids import TenantId

PAGE: Final = 1_000
"""Tenants that one question lists: some hundred kilobytes."""

PLACED_AT_ONCE: Final = 500
"""Tenants that one census places that never were: some seconds, so that moves go on in the same minute."""

TO_NO_END: Final = 2**31
"""No cell holds so many tenants: whoever is in a cell already is not turned away from it."""


@dataclass(slots=True)
class Census:
    """`going_to` has the cell of each tenant, that of the end for one that moves; `moving` those that move.

    `occupants` has everybody who takes room in a cell, so those who move in two. It `is_whole` unless more tenants
    were never placed than one census places; they are where they were all the time, and the next ones count them.
    """

    going_to: dict[TenantId, CellId] = field(default_factory=dict)
    moving: dict[TenantId, Placement] = field(default_factory=dict)
    occupants: dict[CellId, set[TenantId]] = field(default_factory=dict)
    is_whole: bool = True

    def enter(self, tenant: TenantId, cell_id: CellId) -> None:
        self.going_to[tenant] = cell_id
        self.occupants.setdefault(cell_id, set()).add(tenant)

    def follow(self, placement: Placement) -> None:
        """Enter a tenant that moves, or did a moment ago."""
        move = placement.under_way
        for place in placement.occupied:
            self.enter(placement.tenant, cell_of(place))
        self.going_to[placement.tenant] = destination_of(placement)
        if move is not None:
            self.moving[placement.tenant] = placement


@dataclass(frozen=True, slots=True)
class CensusTaker:
    """Counts the tenants of all cells; whoever was never placed is in `home`, and is placed there on this occasion."""

    placements: PlacementStore
    everybody: Everybody
    home: CellId

    async def take(self, cells: Iterable[CellId], *, places_all: bool) -> Census:
        """Count. With `places_all` those who were never placed, too."""
        census = Census()
        for cell_id in cells:
            for has_own_index in (False, True):
                place = place_in(cell_id, has_own_index=has_own_index)
                async for tenant in _all(partial(self.placements.tenants_in, place, PAGE)):
                    census.enter(tenant, cell_id)
        async for tenant in _all(partial(self.placements.under_way, PAGE)):
            placement = await self.placements.placement(tenant)
            if placement is not None:
                census.follow(placement)
        if places_all:
            await self._place_the_rest(census)
        return census

    async def _place_the_rest(self, census: Census) -> None:
        placed = 0
        async for tenant in self.everybody.tenants():
            if tenant in census.going_to:
                continue
            if placed == PLACED_AT_ONCE:
                census.is_whole = False
                return
            placed += 1
            # Whoever signs up right now is placed elsewhere, or here and then moved like all others.
            await self.placements.add(Placement(tenant, self.home), TO_NO_END)
            placement = await self.placements.placement(tenant)
            if placement is not None:
                census.follow(placement)


def destination_of(placement: Placement) -> CellId:
    """Return the cell where a tenant is when its move is over, or where it is without one."""
    move = placement.under_way
    if move is None or move.state is MoveState.ABORTING:
        return cell_of(placement.cell)
    return cell_of(move.target)


async def _all(page: Callable[[TenantId | None], Awaitable[list[TenantId]]]) -> AsyncIterator[TenantId]:
    """Yield what all pages hold; each is asked for with the last tenant of the one before."""
    after: TenantId | None = None
    while found := await page(after):
        for tenant in found:
            yield tenant
        after = found[-1]
