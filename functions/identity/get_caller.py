"""Say who calls (T2, T3)."""

from shared.identity.caller import Caller, CallerDescription
from shared.identity.permissions import Permission
from shared.operations.declaration import RateClass, operation


@operation("GET /me", permission=Permission.CALLER_READ, rate_class=RateClass.READ, uses=[], memory_mb=256)
async def get_caller(caller: Caller) -> CallerDescription:
    """Describe the caller as the credentials of this request make them: tenant, user, role, permissions, workspaces."""
    return CallerDescription.of(caller)
