"""Copy the audit log to where it can be searched (T7)."""

from shared.composition.services import Services
from shared.operations.capabilities import AUDIT, DATABASE
from shared.operations.changes import TableChange
from shared.operations.declaration import StreamTrigger, operation


@operation(StreamTrigger(AUDIT), uses=[AUDIT.read, AUDIT.write, DATABASE.connect], timeout_s=60)
async def project_audit_log(change: TableChange, services: Services) -> None:
    """Copy all that is sealed of a log and not copied yet, when a block comes; late or doubled changes nothing.

    Raises: BrokenChainError, UnreadableBlockError, DatabaseUnavailableError, DatabaseBusyError.
    """
    block = services.relational.sealed_block(change.keys)
    if block is not None and change.kind == "INSERT" and services.relational.is_there:
        tenant, first_seq = block
        await services.relational.projection.catch_up(tenant, first_seq)
