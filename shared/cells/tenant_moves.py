"""What those who run the deployment do with placements: look, begin a move, give it up; and how moves go on (T6)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from shared.cells.census import TO_NO_END
from shared.cells.errors import CellClosedError, CellNotFoundError, CopiesDifferError, InvalidMoveError
from shared.cells.models import CellId
from shared.cells.moving import TenantMover
from shared.cells.placements import MoveState, Placement
from shared.cells.places import cell_of
from shared.cells.ports import CellRegistryStore, PlacementStore
from shared.kernel.clock import Clock
from shared.kernel.errors import TesseraError
from shared.kernel.ids import TenantId

LONGEST_LIFE: Final = timedelta(minutes=16)
"""Lambda ends an invocation after a quarter of an hour: nobody comes later than that to a cell that a tenant left."""

PAGE: Final = 500
"""Chunks that a step of a move copies, compares or erases: some megabytes."""

STEPS_AT_A_TIME: Final = 20
MOST_MOVES: Final = 100

UNEQUAL_FOR: Final = timedelta(minutes=10)
"""What is compared may differ while it is being written, but not for so long."""

_COMPARING: Final = frozenset({MoveState.DUAL_READ, MoveState.SWITCHED})

UNEXPECTED: Final = "internal"
"""The code of a failure that has none: a fault of ours, which the log shows."""


@dataclass(frozen=True, slots=True)
class Advanced:
    """What one run did: how many moves it found and ended, and by which codes others failed for now."""

    found: int
    ended: int
    troubled: Mapping[TenantId, str]

    @property
    def failed(self) -> int:
        return len(self.troubled)


@dataclass(frozen=True, slots=True)
class TenantMoves:
    """Moves of tenants between the cells named in `cells`; a tenant without a placement is in `home`.

    Without `cells` the deployment has one place for all, which nobody leaves.
    """

    placements: PlacementStore
    mover: TenantMover
    clock: Clock
    cells: frozenset[CellId]
    home: CellId
    registry: CellRegistryStore

    async def placement(self, tenant: TenantId) -> Placement:
        """Return where a tenant is, and its last move."""
        return await self.placements.placement(tenant) or Placement(tenant, self.home)

    async def start(self, tenant: TenantId, place: CellId) -> Placement:
        """Begin to move a tenant to `place`; nothing happens when it moves there already, or is there.

        Raises: CellNotFoundError; CellClosedError for a cell that takes in nobody; InvalidMoveError while it moves
        elsewhere, or a move is being given up, and where there is one place for all.
        """
        if not self.cells:
            raise InvalidMoveError("This deployment has one place for all. Deploy further cells or own indexes first.")
        if cell_of(place) not in self.cells:
            raise CellNotFoundError(cell_of(place))
        known = await self.placements.placement(tenant)
        if known is None:
            await self.placements.add(Placement(tenant, self.home), TO_NO_END)
            known = await self.placement(tenant)
        if known.under_way is None and known.cell == place:
            return known
        if known.under_way is None:
            cell = (await self.registry.registry()).cells.get(cell_of(place))
            if cell is not None and not cell.is_open:
                raise CellClosedError(cell.cell_id)
        return await self.mover.plan(tenant, place)

    async def cancel(self, tenant: TenantId) -> Placement:
        """Give up a move; what was copied is erased. Nothing happens when it was given up already.

        Raises: InvalidMoveError without a move, or when the target has taken over: then it is moved back.
        """
        known = await self.placement(tenant)
        if known.move is not None and known.move.state is MoveState.ABORTED:
            return known
        if known.under_way is None:
            raise InvalidMoveError("This organisation is not being moved.")
        return await self.mover.abort(tenant)

    async def advance(
        self, budget: timedelta, failed: Callable[[TenantId, str, Exception], None] = lambda *_: None
    ) -> Advanced:
        """Go on with all moves in turn, some steps each, until nothing moves any more or `budget` is used up.

        A move that cannot go on now is told to `failed`, with the code of why, and left to the next run.
        """
        until = self.clock.now() + budget
        found = await self.placements.under_way(MOST_MOVES)
        waiting, ended, troubled = list(found), 0, dict[TenantId, str]()
        while waiting and self.clock.now() < until:
            still: list[TenantId] = []
            for tenant in waiting:
                if self.clock.now() >= until:
                    break
                try:
                    has_more = await self._go_on(tenant)
                except Exception as error:  # noqa: BLE001 - whatever ails one tenant's chunks, all others go on
                    troubled[tenant] = error.code if isinstance(error, TesseraError) else UNEXPECTED
                    failed(tenant, troubled[tenant], error)
                    continue
                if has_more is None:
                    ended += 1
                elif has_more:
                    still.append(tenant)
            waiting = still
        return Advanced(len(found), ended, troubled)

    async def _go_on(self, tenant: TenantId) -> bool | None:
        """Do some steps; answer whether there is more to do now, or None when the move is over.

        Raises: CopiesDifferError, and whatever keeps the cells from what is asked of them.
        """
        before = await self.placement(tenant)
        for _ in range(STEPS_AT_A_TIME):
            after = await self.mover.advance(tenant)
            move = after.under_way
            if move is None:
                return None
            if after == before:
                if move.state in _COMPARING and self.clock.now() - move.changed_at >= UNEQUAL_FOR:
                    raise CopiesDifferError
                # A cell is watched for whoever comes late, or what is compared is being written: not now.
                return False
            before = after
        return True
