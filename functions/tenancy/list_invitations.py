"""List invitations (T1)."""

from typing import Annotated

from pydantic import Field

from shared.composition.services import Services
from shared.identity.caller import Caller
from shared.identity.permissions import Permission
from shared.kernel.bodies import Description
from shared.kernel.pages import DEFAULT_PAGE, MAX_PAGE, PageToken
from shared.operations.capabilities import IDENTITY
from shared.operations.declaration import RateClass, operation
from shared.tenancy.descriptions import InvitationDescription
from shared.tenancy.models import InvitationStatus


class InvitationList(Description):
    """One page; with `next_page_token` there may be more, even when this page is short or empty."""

    items: list[InvitationDescription]
    next_page_token: PageToken | None


@operation(
    "GET /invitations",
    permission=Permission.MEMBER_WRITE,
    rate_class=RateClass.READ,
    uses=[IDENTITY.read],
)
async def list_invitations(
    caller: Caller,
    services: Services,
    status: InvitationStatus | None = None,
    limit: Annotated[int, Field(ge=1, le=MAX_PAGE)] = DEFAULT_PAGE,
    page_token: PageToken | None = None,
) -> InvitationList:
    """List invitations in the order of their creation, or those of one status; never their tokens.

    Raises: InvalidPageTokenError.
    """
    page = await services.tenancy.invitations.page(caller.tenant, status, limit, page_token)
    now = services.tenancy.clock.now()
    return InvitationList(
        items=[InvitationDescription.of(found, now) for found in page.items], next_page_token=page.next_page_token
    )
