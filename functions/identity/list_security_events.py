"""List what happened around credentials (T2, T3)."""

from typing import Annotated

from pydantic import Field

from shared.composition.services import Services
from shared.identity.caller import Caller
from shared.identity.permissions import Permission
from shared.identity.security_events import event_page
from shared.identity.session_bodies import SecurityEventDescription, SecurityEventList
from shared.kernel.pages import DEFAULT_PAGE, MAX_PAGE, PageToken
from shared.operations.capabilities import IDENTITY
from shared.operations.declaration import RateClass, operation


@operation(
    "GET /security-events", permission=Permission.SECURITY_READ, rate_class=RateClass.READ, uses=[IDENTITY.read]
)  # fmt: skip
async def list_security_events(
    caller: Caller,
    services: Services,
    limit: Annotated[int, Field(ge=1, le=MAX_PAGE)] = DEFAULT_PAGE,
    page_token: PageToken | None = None,
) -> SecurityEventList:
    """List the security events of the caller's organisation, newest first: 400 days of them.

    Raises: InvalidPageTokenError.
    """
    page = await event_page(services.identity.security_events, caller.tenant, limit, page_token)
    items = [SecurityEventDescription.of(event) for event in page.items]
    return SecurityEventList(items=items, next_page_token=page.next_page_token)
