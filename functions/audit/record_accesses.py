"""Take accesses and refusals out of their queue, into the audit log (T7)."""

from shared.audit.messages import RecordAccesses
from shared.composition.services import Services
from shared.operations.capabilities import ACCESS_QUEUE, AUDIT
from shared.operations.declaration import operation


@operation(ACCESS_QUEUE, uses=[AUDIT.append], batch_size=10)
async def record_accesses(message: RecordAccesses, services: Services) -> None:
    """Keep the events of one message until they are sealed; one that was recorded before changes nothing."""
    await services.audit.recorder.record(message.tenant, message.events)
