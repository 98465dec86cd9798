"""Seal what the stream missed, or what a sealer left behind when it was killed (T7)."""

from shared.audit.tenants import for_each
from shared.composition.services import Services
from shared.operations.capabilities import AUDIT
from shared.operations.declaration import ScheduleTrigger, operation


@operation(
    ScheduleTrigger(every_minutes=1),
    uses=[AUDIT.read, AUDIT.query_indexes, AUDIT.scan_indexes, AUDIT.write],
    timeout_s=60,
    across_tenants="it looks for whoever's events were left over",
)
async def seal_leftover_events(services: Services) -> dict[str, int]:
    """Seal events that have waited for more than a minute. Returns how many tenants had some, and how many they were.

    Raises: ExceptionGroup of the failures of some tenants, after all others were served.
    """
    sealing = services.audit.sealing
    tenants = await sealing.tenants_left_over()
    sealed = await for_each(tenants, sealing.seal)
    return {"tenants": len(tenants), "sealed": sum(sealed)}
