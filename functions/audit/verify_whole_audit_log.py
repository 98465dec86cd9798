"""Verify the whole audit log of one organisation, for those who run the deployment (T7)."""

from typing import Final

from shared.audit.verification_bodies import LogVerificationDescription, VerifyWholeLogRequest, read_progress
from shared.composition.services import Services
from shared.operations.capabilities import AUDIT, AUDIT_ARCHIVE
from shared.operations.declaration import CommandTrigger, operation

_MOST_PARTS: Final = 300
"""Of 18,000 lines each: minutes, well within the function's time."""


@operation(CommandTrigger(), uses=[AUDIT.read, AUDIT_ARCHIVE.list_versions], memory_mb=1024, timeout_s=600)
async def verify_whole_audit_log(request: VerifyWholeLogRequest, services: Services) -> LogVerificationDescription:
    """Verify up to 5.4 million lines of a log; for more, ask again with the token of the answer.

    Raises: InvalidPageTokenError.
    """
    start = read_progress(request.tenant, request.page_token)
    verified = await services.audit.verification.verify_all(request.tenant, start, _MOST_PARTS)
    return LogVerificationDescription.of(request.tenant, verified)
