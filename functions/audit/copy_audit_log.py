"""Copy one audit log to where it can be searched, for a database that was lost or emptied (T7)."""

from shared.composition.services import Services
from shared.kernel.bodies import Request
from shared.kernel.ids import TenantId
from shared.operations.capabilities import AUDIT, DATABASE
from shared.operations.declaration import CommandTrigger, operation


class CopyAuditLogRequest(Request):
    """Whose log."""

    tenant: TenantId


@operation(CommandTrigger(), uses=[AUDIT.read, AUDIT.write, DATABASE.connect], timeout_s=600)
async def copy_audit_log(request: CopyAuditLogRequest, services: Services) -> dict[str, int]:
    """Copy all that is sealed of an organisation's log and not copied; again goes on where it ended.

    Returns how many events that were. Raises: NoDatabaseError, BrokenChainError, UnreadableBlockError,
    DatabaseUnavailableError, DatabaseBusyError.
    """
    return {"events": await services.relational.projection.catch_up(request.tenant)}
