"""Routes that were decided a moment ago and still hold (T6)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from shared.cells.models import CellId
from shared.kernel.tenants import AdmittedTenant

REMEMBERED: Final = 10_000


@dataclass(frozen=True, slots=True)
class Route:
    """Which cell takes a request, and which one has the tenant's data; they differ while that one is ill or busy."""

    served_by: CellId
    data: CellId

    @property
    def is_diverted(self) -> bool:
        return self.served_by != self.data


@dataclass(frozen=True, slots=True)
class _Decision:
    route: Route
    topology: int
    until: datetime


class DecisionCache:
    """Keeps a decision for `remembered_for`, and only while the topology is the one that it was made in."""

    def __init__(self, remembered_for: timedelta) -> None:
        self._remembered_for = remembered_for
        self._decisions: dict[tuple[AdmittedTenant, str], _Decision] = {}

    def find(self, tenant: AdmittedTenant, home: str, topology: int, now: datetime) -> Route | None:
        """Return the decision, or None when there is none that still holds."""
        decision = self._decisions.get((tenant, home))
        if decision is None or decision.topology != topology or now >= decision.until:
            return None
        return decision.route

    def keep(self, tenant: AdmittedTenant, home: str, route: Route, topology: int, now: datetime) -> None:
        self._decisions.pop((tenant, home), None)
        self._decisions[tenant, home] = _Decision(route, topology, now + self._remembered_for)
        if len(self._decisions) > REMEMBERED:
            del self._decisions[next(iter(self._decisions))]
