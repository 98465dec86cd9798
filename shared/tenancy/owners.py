"""Who owns an organisation: always somebody (T1). The owners stand on the tenant's record, under its revision."""

from dataclasses import replace
from datetime import datetime

from shared.kernel.ids import UserId
from shared.tenancy.errors import LastOwnerError
from shared.tenancy.models import Tenant


def with_owner(tenant: Tenant, user_id: UserId, now: datetime) -> Tenant:
    """Return the organisation with one more owner; one who is an owner already changes nothing."""
    if user_id in tenant.owners:
        return tenant
    return replace(tenant, owners=tenant.owners | {user_id}, updated_at=now)


def without_owner(tenant: Tenant, user_id: UserId, now: datetime) -> Tenant:
    """Return the organisation with one owner less; one who is none changes nothing. Raises: LastOwnerError."""
    if user_id not in tenant.owners:
        return tenant
    if tenant.owners == {user_id}:
        raise LastOwnerError
    return replace(tenant, owners=tenant.owners - {user_id}, updated_at=now)
