"""Put what happened into the log that nobody can change unnoticed (T7)."""

from shared.composition.services import Services
from shared.operations.capabilities import AUDIT
from shared.operations.changes import TableChange
from shared.operations.declaration import StreamTrigger, operation


@operation(StreamTrigger(AUDIT), uses=[AUDIT.read, AUDIT.query_indexes, AUDIT.write], timeout_s=60)
async def seal_audit_events(change: TableChange, services: Services) -> None:
    """Seal all events of a tenant that wait, when a new one comes; late or doubled changes nothing.

    A log whose head is damaged is left to `seal_leftover_events`. Raises: SealingCollisionError.
    """
    tenant = services.audit.tenant_of_new_event(change.keys)
    if tenant is not None and change.kind == "INSERT":
        await services.audit.sealing.seal_if_sound(tenant)
