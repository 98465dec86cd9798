"""Seal what the stream missed, or what a sealer left behind when it was killed (T7)."""

from datetime import timedelta
from typing import Final

from shared.audit.sealing import OLDEST_WAITING
from shared.audit.tenants import for_each
from shared.composition.services import Services
from shared.operations.capabilities import AUDIT
from shared.operations.declaration import MetricAlarm, ScheduleTrigger, operation

_LONGEST_WAIT: Final = timedelta(minutes=5)


@operation(
    ScheduleTrigger(every_minutes=1),
    uses=[AUDIT.read, AUDIT.query_indexes, AUDIT.scan_indexes, AUDIT.write],
    timeout_s=60,
    across_tenants="it looks for whoever's events were left over",
    alarms=[
        MetricAlarm(
            OLDEST_WAITING,
            above=_LONGEST_WAIT / timedelta(milliseconds=1),
            minutes=2,
            says="Audit events have waited for more than 5 minutes to be sealed: see the runbook of the audit log.",
        )
    ],
)
async def seal_leftover_events(services: Services) -> dict[str, int]:
    """Seal events that have waited for more than a minute. Returns how many tenants had some, and how many they were.

    Raises: ExceptionGroup of the failures of some tenants, after all others were served.
    """
    sealing = services.audit.sealing
    tenants = await sealing.tenants_left_over()
    sealed = await for_each(tenants, sealing.seal)
    return {"tenants": len(tenants), "sealed": sum(sealed)}
