"""Go on with the moves of organisations between cells (T6)."""

from datetime import timedelta

from shared.cells.rebalancing import STANDING_STILL
from shared.composition.services import Services
from shared.operations.capabilities import AUDIT, CELL_REGISTRY, CELLS, IDENTITY, VECTORS
from shared.operations.declaration import MetricAlarm, ScheduleTrigger, operation

BUDGET = timedelta(seconds=50)
"""Less than the time between two runs; two at once would do the same things twice, and no harm."""


@operation(
    ScheduleTrigger(every_minutes=1),
    uses=[
        CELLS.read,
        CELLS.write,
        CELL_REGISTRY.read,
        CELL_REGISTRY.write,
        IDENTITY.query_indexes,
        VECTORS.search,
        VECTORS.write,
        AUDIT.append,
    ],
    across_tenants="each move is another tenant's",
    memory_mb=1024,
    timeout_s=120,
    alarms=[
        MetricAlarm(
            STANDING_STILL,
            above=0,
            minutes=10,
            says="A move between cells, or the emptying or filling of a cell, stands still: see the runbook of cells.",
        )
    ],
)
async def advance_tenant_moves(services: Services) -> dict[str, int]:
    """Copy, compare, switch and erase what moves, some hundred chunks a step; where one run dies, the next goes on.

    Then begin moves of those who have to leave a cell that is emptied, or to come into one that is filled. Late or
    doubled does no harm. Returns how many moves were found, ended, could not go on now, and were begun.
    """
    advanced = await services.cells.moves.advance(BUDGET, services.cells.trouble)
    begun = await services.cells.rebalancer.plan(advanced.troubled)
    return {"found": advanced.found, "ended": advanced.ended, "failed": advanced.failed, "begun": begun}
