"""Who a verified request comes from."""

from dataclasses import dataclass

from shared.identity.permissions import Role
from shared.kernel.ids import TenantId, UserId


@dataclass(frozen=True, slots=True)
class Caller:
    """Tenant, user and role as a verified token states them; never taken from a body, path or header (invariant 4)."""

    tenant: TenantId
    user: UserId
    role: Role
