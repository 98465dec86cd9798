"""Copy what the stream missed of the audit logs, and make room for the coming months (T7)."""

from shared.audit.tenants import for_each
from shared.composition.services import Services
from shared.operations.capabilities import AUDIT, DATABASE
from shared.operations.declaration import ScheduleTrigger, operation


@operation(
    ScheduleTrigger(every_minutes=5),
    uses=[AUDIT.read, AUDIT.scan_indexes, AUDIT.write, DATABASE.connect],
    timeout_s=120,
    across_tenants="a schedule serves every tenant whose log waits",
)
async def catch_up_audit_copies(services: Services) -> dict[str, int]:
    """Copy every log that has waited for some minutes; late or doubled does no harm.

    A database that has nothing to do is not woken up. Returns how many logs these were, and of how many events.

    Raises: ExceptionGroup of the failures of some tenants, after all others were served.
    """
    if not services.relational.is_there:
        return {"tenants": 0, "events": 0}
    projection = services.relational.projection
    tenants = await projection.tenants_left_over(services.relational.clock.now())
    copied = await for_each(tenants, projection.catch_up)
    return {"tenants": len(tenants), "events": sum(copied)}
