"""Which cell takes a tenant's request: its own unless that is ill or busy, else the best of the healthy ones (T6)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from shared.cells.errors import NoHealthyCellError
from shared.cells.models import Cell, CellId


@dataclass(frozen=True, slots=True)
class RoutingPolicy:
    """The figures of the rule. The three weights add up to 1.

    A primary with `busy_load` or more is not used without looking at others. Latencies from `slowest_ms` on count as
    equally slow. A decision is remembered for `remembered_for` unless some cell's health changes.
    """

    busy_load: float = 0.8
    locality: float = 0.4
    load: float = 0.4
    latency: float = 0.2
    slowest_ms: float = 500.0
    remembered_for: timedelta = timedelta(seconds=30)


T6 = RoutingPolicy()


def choose_cell(primary: CellId, cells: Iterable[Cell], home: str, policy: RoutingPolicy = T6) -> CellId:
    """Return the cell that takes the request: `primary` when it is healthy and not busy, else the best healthy one.

    `home` is the region that the tenant is nearest to. The primary competes when it is only busy, and may be missing
    from `cells`. Equal scores go to the smaller id. Raises: NoHealthyCellError.
    """
    healthy = {cell.cell_id: cell for cell in cells if cell.seen.is_healthy}
    if primary in healthy and healthy[primary].seen.load < policy.busy_load:
        return primary
    if not healthy:
        raise NoHealthyCellError
    return min(healthy, key=lambda cell_id: (-score(healthy[cell_id], home, policy), cell_id))


def score(cell: Cell, home: str, policy: RoutingPolicy = T6) -> float:
    """Return how good `cell` is for a tenant of region `home`, 0 to 1: near, idle and quick is best."""
    quickness = 1.0 - min(cell.seen.latency_ms / policy.slowest_ms, 1.0)
    return (
        policy.locality * locality(cell.region, home)
        + policy.load * (1.0 - cell.seen.load)
        + policy.latency * quickness
    )


def locality(region: str, home: str) -> float:
    """Return 1 for the same region, 0.5 for one of the same continent (`eu-west-1`, `eu-central-1`), else 0."""
    if region == home:
        return 1.0
    return 0.5 if region.partition("-")[0] == home.partition("-")[0] else 0.0
