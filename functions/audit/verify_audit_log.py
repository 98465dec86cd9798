"""Verify that the audit log of an organisation is what was written (T7)."""

from typing import Annotated

from pydantic import Field

from shared.audit.log_verification import PART
from shared.audit.verification_bodies import LogVerificationDescription, read_progress
from shared.composition.services import Services
from shared.identity.caller import Caller
from shared.identity.permissions import Permission
from shared.kernel.pages import PageToken
from shared.operations.capabilities import AUDIT, AUDIT_ARCHIVE
from shared.operations.declaration import RateClass, operation


@operation(
    "GET /audit-log/verification",
    permission=Permission.AUDIT_READ,
    rate_class=RateClass.READ,
    uses=[AUDIT.read, AUDIT_ARCHIVE.list_versions],
    memory_mb=1024,
)
async def verify_audit_log(
    caller: Caller,
    services: Services,
    limit: Annotated[int, Field(ge=1, le=PART)] = PART,
    page_token: PageToken | None = None,
) -> LogVerificationDescription:
    """Verify the next `limit` blocks of the audit log, of up to 90 lines each, and name what was changed.

    Raises: InvalidPageTokenError.
    """
    start = read_progress(caller.tenant, page_token)
    verified = await services.audit.verification.verify_part(caller.tenant, start, limit)
    return LogVerificationDescription.of(caller.tenant, verified)
