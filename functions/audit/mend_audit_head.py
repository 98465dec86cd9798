"""Write the head of an audit log anew, for those who run the deployment: without it nothing is sealed (T7)."""

from typing import Final

from shared.audit.verification_bodies import HeadMendingDescription, MendAuditHeadRequest
from shared.composition.services import Services
from shared.operations.capabilities import AUDIT, AUDIT_ARCHIVE
from shared.operations.declaration import CommandTrigger, operation

_MOST_PARTS: Final = 1_500
"""Of 18,000 lines each: well within the function's time."""


@operation(
    CommandTrigger(),
    uses=[AUDIT.read, AUDIT.write, AUDIT_ARCHIVE.list_versions],
    memory_mb=1024,
    timeout_s=870,
)
async def mend_audit_head(request: MendAuditHeadRequest, services: Services) -> HeadMendingDescription:
    """Mend the head of a log from its last block, if the whole chain, its anchors and its events' marks agree.

    Otherwise nothing is changed, and the findings say what disagrees. Raises: AuditLogTooLongError,
    UnreadableBlockError.
    """
    mending = await services.audit.mending.mend(request.tenant, _MOST_PARTS)
    return HeadMendingDescription.of(mending)
