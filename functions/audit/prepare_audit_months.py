"""Make room for the audit events of the coming months (T7)."""

from shared.composition.services import Services
from shared.operations.capabilities import DATABASE
from shared.operations.declaration import ScheduleTrigger, operation


@operation(ScheduleTrigger(every_minutes=1_000), uses=[DATABASE.connect], timeout_s=120)
async def prepare_audit_months(services: Services) -> dict[str, int]:
    """Make the partitions of this and the next three months, once each. Returns how many were made.

    Raises: DatabaseUnavailableError, DatabaseBusyError.
    """
    if not services.relational.is_there:
        return {"made": 0}
    return {"made": await services.relational.read_model.prepare_months(services.relational.clock.now())}
