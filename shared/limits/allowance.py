"""What one process lets through while nobody can count together."""

from collections import OrderedDict
from typing import Final, NewType

from shared.kernel.ids import TenantId
from shared.kernel.tenants import AdmittedTenant, admitted, is_tenant_name
from shared.limits.admission import Admission, Demand, described, waiting_us
from shared.limits.rules import Bucket

MOST_TENANTS: Final = 1_000
"""Tenants whose use is remembered; the one that asked longest ago is forgotten first."""

Stranger = NewType("Stranger", str)
"""Under which name requests without credentials are counted: none that a tenant can have."""


class LocalAllowance:
    """A token bucket per tenant in this process alone: small, since every process has one."""

    def __init__(self) -> None:
        self._full_at_us: OrderedDict[tuple[AdmittedTenant | Stranger, str], int] = OrderedDict()

    def admit(self, tenant: TenantId, bucket: Bucket, now_us: int) -> Admission:
        """Take one token of `bucket` for the tenant, if there is one. `now_us` is any clock that only goes forward.

        Raises: TenantContextError unless the invocation works for the tenant.
        """
        key, demand = (_counted(tenant), bucket.name), Demand(bucket)
        known = self._full_at_us.pop(key, 0)
        is_admitted = waiting_us(demand, known, now_us) == 0
        after = bucket.taken(known, demand.cost, now_us) if is_admitted else known
        self._full_at_us[key] = after
        if len(self._full_at_us) > MOST_TENANTS:
            self._full_at_us.popitem(last=False)
        return described([demand], [after], now_us, is_admitted=is_admitted)


def _counted(name: TenantId) -> AdmittedTenant | Stranger:
    return admitted(name) if is_tenant_name(name) else Stranger(name)
