"""Anchor the audit logs: say how far they go, and with what hash, where nobody can take it back (T7)."""

from shared.audit.tenants import for_each
from shared.composition.services import Services
from shared.operations.capabilities import AUDIT, AUDIT_ARCHIVE
from shared.operations.declaration import ScheduleTrigger, operation


@operation(
    ScheduleTrigger(every_minutes=5),
    uses=[AUDIT.read, AUDIT.scan_indexes, AUDIT.write, AUDIT_ARCHIVE.put],
    timeout_s=60,
    across_tenants="it looks for whoever's log has grown",
)
async def anchor_audit_log(services: Services) -> dict[str, int]:
    """Anchor every log that has grown since its last anchor; late or doubled does no harm. Returns how many these were.

    Raises: ExceptionGroup of the failures of some tenants, after all others were served.
    """
    anchoring = services.audit.anchoring
    tenants = await anchoring.tenants_unanchored()
    await for_each(tenants, anchoring.anchor)
    return {"anchored": len(tenants)}
