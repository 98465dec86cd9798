"""Look at how the cells are (T6)."""

from shared.composition.services import Services
from shared.operations.capabilities import CELL_REGISTRY, VECTORS
from shared.operations.declaration import ScheduleTrigger, operation


@operation(
    ScheduleTrigger(every_minutes=1),
    uses=[CELL_REGISTRY.read, CELL_REGISTRY.write, VECTORS.search],
    timeout_s=60,
)
async def observe_cells(services: Services) -> dict[str, int]:
    """Write down health, load and latency of each cell, new cells among them; late or doubled does no harm.

    Returns how many cells there are, and how many of them are healthy.
    """
    registry = await services.cells.observer.observe()
    healthy = sum(cell.seen.is_healthy for cell in registry.cells.values())
    return {"cells": len(registry.cells), "healthy": healthy}
