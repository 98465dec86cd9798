"""Which cell a tenant is put in, once, and which one takes its requests, each time (T6)."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from shared.cells.balance import capacities, preferred, with_room
from shared.cells.decisions import DecisionCache, Route
from shared.cells.errors import NoHealthyCellError, PlacementBusyError, PlacementNotFoundError
from shared.cells.gates import FIRST_EPOCH, Gate, GateRole
from shared.cells.models import Cell, CellId, CellRegistry
from shared.cells.placements import Placement
from shared.cells.places import cell_of
from shared.cells.ports import CellRegistryStore, GatedCells, PlacementStore
from shared.cells.routing import T6, RoutingPolicy, choose_cell
from shared.kernel.clock import Clock
from shared.kernel.ids import TenantId
from shared.kernel.tenants import admitted

TRIES: Final = 8

LOOKED_FOR: Final = timedelta(seconds=5)
"""How long a process believes in the registry that it read: a cell that fell ill is avoided after that time."""


@dataclass(frozen=True, slots=True)
class _Choice:
    """A cell, and how many tenants may share it then: those in indexes of their own take room, too."""

    cell_id: CellId
    at_most: int


class TenantDirectory:
    """Places tenants and routes their requests. Routes are remembered in this process, placements in their record."""

    def __init__(
        self,
        registry: CellRegistryStore,
        placements: PlacementStore,
        cells: GatedCells,
        clock: Clock,
        known: Collection[CellId],
        policy: RoutingPolicy = T6,
    ) -> None:
        """`known` are the cells that the deployment has: the registry learns a minute later that one was taken away."""
        self._registry = registry
        self._placements = placements
        self._cells = cells
        self._clock = clock
        self._known = known
        self._policy = policy
        self._decisions = DecisionCache(policy.remembered_for)
        self._looked: tuple[CellRegistry, datetime] | None = None

    async def place(self, tenant: TenantId, home: str) -> Placement:
        """Return where `tenant` is; if it is nowhere yet, put it in the cell that suits a tenant of region `home`.

        That is the first in its order of preference that has room, or, if that one is ill or busy, the best of those
        that have room; cells without room are used only while no other is healthy. Raises: NoHealthyCellError,
        PlacementBusyError when others kept taking the room, CellUnavailableError after which it may be repeated.
        """
        for _ in range(TRIES):
            known = await self._placements.placement(tenant)
            if known is not None:
                return known
            choice = await self._choose(tenant, home)
            placement = Placement(tenant, choice.cell_id)
            if await self._placements.add(placement, choice.at_most):
                await self._cells.of(choice.cell_id).set_gate(tenant, Gate(FIRST_EPOCH, GateRole.OPEN))
        raise PlacementBusyError

    async def route(self, tenant: TenantId, home: str) -> Route:
        """Return which cell takes a request of `tenant`, and which one has its data; remembered for a while.

        Raises: PlacementNotFoundError, NoHealthyCellError; TenantContextError unless the invocation works for `tenant`.
        """
        own, now = admitted(tenant), self._clock.now()
        registry = await self._look(now)
        route = self._decisions.find(own, home, registry.topology, now)
        if route is None:
            placement = await self._placements.placement(tenant)
            if placement is None:
                raise PlacementNotFoundError
            usable = [cell for cell in registry.cells.values() if cell.is_open or cell.cell_id == placement.cell]
            route = Route(choose_cell(placement.cell, usable, home, self._policy), placement.cell)
            self._decisions.keep(own, home, route, registry.topology, now)
        return route

    async def _choose(self, tenant: TenantId, home: str) -> _Choice:
        cells = [cell for cell in (await self._registry.registry()).open_cells() if cell.cell_id in self._known]
        places, held = await self._placements.held(), Counter[CellId]()
        for place, tenants in places.items():
            held[cell_of(place)] += tenants
        roomy = with_room(cells, held) if cells else []
        primary = preferred(tenant, cells, roomy)
        chosen = self._best(primary, roomy, home) or choose_cell(primary, cells, home, self._policy)
        limits = capacities(cells, sum(held[cell.cell_id] for cell in cells) + 1)
        in_own_indexes = held[chosen] - places.get(chosen, 0)
        return _Choice(chosen, max(limits[chosen], held[chosen] + 1) - in_own_indexes)

    def _best(self, primary: CellId, roomy: list[Cell], home: str) -> CellId | None:
        try:
            return choose_cell(primary, roomy, home, self._policy)
        except NoHealthyCellError:
            return None

    async def _look(self, now: datetime) -> CellRegistry:
        if self._looked is None or now - self._looked[1] >= LOOKED_FOR:
            self._looked = await self._registry.registry(), now
        return self._looked[0]
