"""What a tenant's plan allows, read from the identity table and remembered for a minute (T1, T4)."""

from datetime import datetime, timedelta
from typing import Final

from shared.adapters.dynamodb.tenancy_records import DynamoTenancy
from shared.adapters.dynamodb.transactions import Transactions
from shared.kernel.clock import Clock
from shared.kernel.ids import TenantId
from shared.kernel.tenants import AdmittedTenant, admitted
from shared.tenancy.figures import effective_figures
from shared.tenancy.plans import STARTER, Figures

REMEMBERED_FOR: Final = timedelta(seconds=60)
_MOST_TENANTS: Final = 10_000


class DynamoTenantFigures:
    """Implements `TenantFigures`."""

    def __init__(self, transactions: Transactions, table: str, clock: Clock) -> None:
        self._tenancy = DynamoTenancy(transactions, table)
        self._clock = clock
        self._known: dict[AdmittedTenant, tuple[datetime, Figures]] = {}

    async def figures(self, tenant: TenantId) -> Figures:
        own, now = admitted(tenant), self._clock.now()
        known = self._known.get(own)
        if known is not None and now - known[0] < REMEMBERED_FOR:
            return known[1]
        record = await self._tenancy.tenant(tenant)
        figures = STARTER if record is None else effective_figures(record, now)
        if len(self._known) >= _MOST_TENANTS:
            self._known.clear()
        self._known[own] = (now, figures)
        return figures
