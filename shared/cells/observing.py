"""How cells are: looked at by a schedule, kept in the registry, read by whoever places tenants (T6)."""

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Final, Protocol

from shared.cells.models import Cell, CellId, CellRegistry, Observation
from shared.cells.ports import CellRegistryStore
from shared.kernel.clock import Clock

_log = logging.getLogger("tessera.cells")

LOOKS: Final = 3
PATIENCE_S: Final = 5.0
TRIES: Final = 5


class CellProbe(Protocol):
    """One cell, asked how it is."""

    async def load(self) -> float:
        """Return the used share of the cell's capacity, 0 to 1. Raises: whatever keeps the cell from answering."""
        ...


@dataclass(frozen=True, slots=True)
class CellObserver:
    """Brings the registry in line with the deployment's cells, and writes down how each one is."""

    registry: CellRegistryStore
    cells: Sequence[Cell]
    probes: Mapping[CellId, CellProbe]
    clock: Clock

    async def observe(self) -> CellRegistry:
        """Look at all cells at once. A cell that the deployment does not know any more is closed and counts as ill."""
        seen = dict(zip(self.probes, await asyncio.gather(*map(_look, self.probes, self.probes.values())), strict=True))
        for _ in range(TRIES):
            before = await self.registry.registry()
            after = self._observed(before, seen)
            if after == before or await self.registry.replace(after):
                return after
        return before

    def _observed(self, registry: CellRegistry, seen: Mapping[CellId, Observation]) -> CellRegistry:
        for cell in self.cells:
            known = registry.cells.get(cell.cell_id)
            if known is None:
                registry = registry.added(cell)
            elif (known.region, known.weight) != (cell.region, cell.weight):
                registry = registry.removed(cell.cell_id).added(replace(known, region=cell.region, weight=cell.weight))
            registry = registry.observed(cell.cell_id, seen[cell.cell_id])
        for cell_id in registry.cells.keys() - {cell.cell_id for cell in self.cells}:
            registry = registry.closed(cell_id, self.clock.now())
            registry = registry.observed(cell_id, Observation(is_healthy=False))
        return registry


async def _look(cell_id: CellId, probe: CellProbe) -> Observation:
    """Return what several looks say: the last load, and the time of the middle one."""
    times_ms, load = [], 0.0
    try:
        for _ in range(LOOKS):
            began = time.perf_counter()
            async with asyncio.timeout(PATIENCE_S):
                load = await probe.load()
            times_ms.append(1000 * (time.perf_counter() - began))
    except Exception as error:  # noqa: BLE001 - whatever a look dies of is the finding, and no other cell's matter
        _log.warning("a cell does not answer", extra={"cell": cell_id}, exc_info=error)
        return Observation(is_healthy=False, load=1.0, latency_ms=1000 * PATIENCE_S)
    return Observation(load=round(min(max(load, 0.0), 1.0), 3), latency_ms=round(median(times_ms), 1))
