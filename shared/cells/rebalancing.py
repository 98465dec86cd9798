"""Moves that follow from cells being emptied or filled: some at a time, planned anew each time (T6).

Nothing is kept of a plan. What was asked for stands in the registry, where everybody is in the placements, and a plan
made of both goes on where the one before ended: planned at once or in parts, the same tenants move to the same cells.
So whoever dies while planning leaves nothing half done, and what others did meanwhile is no surprise: a tenant that
signed up, or was moved by hand. A move is begun by one write, under the condition that the placement is as it was read.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from shared.cells.balance import PlannedMove, moved, plan_joining, plan_leaving
from shared.cells.census import Census, CensusTaker
from shared.cells.errors import CellNotFoundError, NoHealthyCellError
from shared.cells.models import Cell, CellChange, CellId, CellRegistry, CellState
from shared.cells.placements import MoveState, Placement
from shared.cells.places import cell_of, has_own_index, place_in
from shared.cells.ports import CellRegistryStore, CellUnavailableError, PlacementStore
from shared.cells.routing import T6, RoutingPolicy
from shared.kernel.clock import Clock
from shared.kernel.ids import TenantId
from shared.telemetry.ports import Telemetry

TRIES: Final = 8
"""Others write the registry, too: how the cells are, each minute."""

NO_ROOM: Final = "no-room-elsewhere"
"""All cells that could take tenants in are busy."""

GIVEN_UP: Final = "moves-given-up"
"""The moves of all who are left were given up by hand a moment ago."""

STANDING_STILL: Final = "cells_standing_still"
"""Metric: moves that could not go on in a run of the schedule, and cells that cannot be emptied or filled now."""

_WATCHED: Final = frozenset({MoveState.CLEANING, MoveState.ABORTING})
"""States in which what is left is erased, and looked at for a quarter of an hour."""

RESTS: Final = timedelta(minutes=30)
"""How long a tenant is left alone whose move was given up: whoever did that had a reason, and needs time for it."""


@dataclass(frozen=True, slots=True)
class RebalancingPolicy:
    """The figures of moves that nobody asks for one by one.

    With `moves_at_once` moves under way, none is begun: a schedule goes on with all of them in turn, so more would only
    have more tenants' writes done twice. Those that are over but for a cell that is watched do not count, nor those
    given up; each is for a quarter of an hour, and five a minute are fewer than the hundred that the schedule looks
    after. An empty cell is closed
    `settles_after` after it was asked for: later, nobody is under way who saw it open.
    """

    settles_after: timedelta
    moves_at_once: int = 5
    most_moves: int = 100
    rests: timedelta = RESTS
    routing: RoutingPolicy = T6


@dataclass(frozen=True, slots=True)
class _Plan:
    """What one cell needs: the moves that can begin now, how many cannot, and the code of what is in their way."""

    moves: list[PlannedMove]
    waiting: int
    obstacle: str = ""


@dataclass(frozen=True, slots=True)
class _Outcome:
    """How far a cell is after a look at it: `is_over` when nobody is left to move."""

    seen: Cell
    change: CellChange
    is_over: bool


@dataclass(frozen=True, slots=True)
class Rebalancer:
    """Begins the moves that empty closing cells and fill others, of `known`, the cells that the deployment has."""

    registry: CellRegistryStore
    placements: PlacementStore
    census: CensusTaker
    clock: Clock
    known: frozenset[CellId]
    policy: RebalancingPolicy
    telemetry: Telemetry

    async def plan(self, troubled: Mapping[TenantId, str]) -> int:
        """Begin as many moves as may be, write down how far each cell is, and return how many were begun.

        `troubled` has the code of what keeps the move of a tenant from going on.
        """
        registry = await self.registry.registry()
        # Those who leave first: they have to go, and where they go counts for those who join.
        changing = sorted(
            (cell for cell in registry.cells.values() if cell.change is not None),
            key=lambda cell: (cell.is_open, cell.cell_id),
        )
        if not changing:
            self.telemetry.count(STANDING_STILL, len(troubled))
            return 0
        census = await self.census.take(registry.cells, places_all=self._concerns_all(registry, changing))
        room, begun, outcomes = self._room(census), 0, []
        for cell in changing:
            plan = self._plan(cell, registry, census)
            census.going_to = moved(census.going_to, plan.moves)
            now_begun, is_resting = await self._begin(plan.moves, room - begun)
            begun += now_begun
            outcomes.append(self._outcome(cell, census, plan, troubled, is_resting=is_resting and not now_begun))
        await self._write(outcomes)
        standstills = [outcome.change.standstill for outcome in outcomes]
        # What somebody gave up by hand is meant to stand still.
        cells = sum(code not in {"", GIVEN_UP} for code in standstills)
        self.telemetry.count(STANDING_STILL, len(troubled) + cells)
        return begun

    def _concerns_all(self, registry: CellRegistry, changing: Iterable[Cell]) -> bool:
        """Whether it matters who was never placed: not once all is done, unless they are in a cell that is closed."""
        home = registry.cells.get(self.census.home)
        return any(cell.state is not CellState.CLOSED for cell in changing) or (home is not None and not home.is_open)

    def _room(self, census: Census) -> int:
        moves = [placement.under_way for placement in census.moving.values()]
        working = sum(move is not None and move.state not in _WATCHED for move in moves)
        return min(self.policy.moves_at_once - working, self.policy.most_moves - len(moves))

    def _plan(self, cell: Cell, registry: CellRegistry, census: Census) -> _Plan:
        return self._joining(cell, registry, census) if cell.is_open else self._leaving(cell, registry, census)

    def _leaving(self, leaver: Cell, registry: CellRegistry, census: Census) -> _Plan:
        waiting = sum(
            cell_id == leaver.cell_id and tenant not in census.moving for tenant, cell_id in census.going_to.items()
        )
        others = registry.open_cells()
        rest = [cell for cell in others if self._can_take(cell)]
        if leaver.cell_id not in self.known:
            return _Plan([], waiting, CellNotFoundError.code)
        if not leaver.seen.is_healthy:
            return _Plan([], waiting, CellUnavailableError.code)
        if not rest:
            is_any_healthy = any(cell.seen.is_healthy for cell in others)
            return _Plan([], waiting, NO_ROOM if is_any_healthy else NoHealthyCellError.code)
        return _Plan(plan_leaving(census.going_to, rest, leaver.cell_id), waiting)

    def _joining(self, newcomer: Cell, registry: CellRegistry, census: Census) -> _Plan:
        cells = {cell.cell_id: cell for cell in registry.open_cells()}
        # Whoever is in a cell that is being emptied comes by that.
        placed = {tenant: cell_id for tenant, cell_id in census.going_to.items() if cell_id in cells}
        moves = plan_joining(placed, list(cells.values()), newcomer.cell_id)
        if not newcomer.seen.is_healthy:
            return _Plan([], len(moves), CellUnavailableError.code)
        if not self._can_take(newcomer):
            return _Plan([], len(moves), NO_ROOM)
        can_begin = [move for move in moves if cells[move.source].seen.is_healthy]
        return _Plan(can_begin, len(moves), NoHealthyCellError.code if moves and not can_begin else "")

    def _can_take(self, cell: Cell) -> bool:
        return cell.seen.is_healthy and cell.seen.load < self.policy.routing.busy_load and cell.cell_id in self.known

    async def _begin(self, moves: Iterable[PlannedMove], most: int) -> tuple[int, bool]:
        """Begin up to `most` of `moves`; return how many were begun, and whether one was left out that rests."""
        begun, is_resting = 0, False
        for move in moves:
            if begun >= most:
                break
            placement = await self.placements.placement(move.tenant)
            if placement is None or placement.under_way is not None or cell_of(placement.cell) != move.source:
                continue
            if self._rests(placement):
                is_resting = True
                continue
            target = place_in(move.target, has_own_index=has_own_index(placement.cell))
            # Not by the mover, who would plan on from whatever is stored by then.
            begun += await self.placements.replace(placement, placement.planned(target, self.clock.now()))
        return begun, is_resting

    def _rests(self, placement: Placement) -> bool:
        move = placement.move
        if move is None or move.state is not MoveState.ABORTED:
            return False
        return self.clock.now() - move.changed_at < self.policy.rests

    def _outcome(
        self, cell: Cell, census: Census, plan: _Plan, troubled: Mapping[TenantId, str], *, is_resting: bool
    ) -> _Outcome:
        now, mine = self.clock.now(), [one for one in census.moving.values() if _concerns(one, cell)]
        left = plan.waiting + len(mine) if cell.is_open else len(census.occupants.get(cell.cell_id, ()))
        codes = sorted(troubled[placement.tenant] for placement in mine if placement.tenant in troubled)
        if not codes and plan.waiting:
            codes = [plan.obstacle or (GIVEN_UP if is_resting and not mine else "")]
        change = cell.change or CellChange(now)
        is_settled = cell.is_open or now - change.asked_at >= self.policy.settles_after
        return _Outcome(
            cell,
            replace(change, left=left if census.is_whole else None, standstill=codes[0] if codes else ""),
            is_over=census.is_whole and left == 0 and is_settled,
        )

    async def _write(self, outcomes: Iterable[_Outcome]) -> None:
        """Write down what was seen of cells of which the same is still asked; if others are faster, the next run."""
        for _ in range(TRIES):
            before = after = await self.registry.registry()
            for outcome in outcomes:
                now = before.cells.get(outcome.seen.cell_id)
                if now is not None and _is_same_wish(now, outcome.seen):
                    after = self._after(after, outcome)
            if after == before or await self.registry.replace(after):
                return

    def _after(self, registry: CellRegistry, outcome: _Outcome) -> CellRegistry:
        cell_id = outcome.seen.cell_id
        if outcome.is_over and outcome.seen.is_open:
            return registry.opened(cell_id)
        if outcome.is_over and cell_id not in self.known:
            return registry.removed(cell_id)
        return registry.counted(cell_id, outcome.change, is_empty=outcome.is_over)


def _concerns(placement: Placement, cell: Cell) -> bool:
    """Whether a tenant's move is one that `cell` needs: away from a cell that closes, into one that is filled."""
    move = placement.under_way
    if move is None or cell_of(move.source) == cell_of(move.target):
        return False
    return cell_of(move.target if cell.is_open else move.source) == cell.cell_id


def _is_same_wish(now: Cell, seen: Cell) -> bool:
    asked = [None if cell.change is None else cell.change.asked_at for cell in (now, seen)]
    return asked[0] == asked[1] and now.is_open == seen.is_open
