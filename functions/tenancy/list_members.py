"""List members (T1)."""

from typing import Annotated

from pydantic import Field

from shared.composition.services import Services
from shared.identity.caller import Caller
from shared.identity.permissions import Permission
from shared.kernel.bodies import Description
from shared.kernel.pages import DEFAULT_PAGE, MAX_PAGE, PageToken
from shared.operations.capabilities import IDENTITY
from shared.operations.declaration import RateClass, operation
from shared.tenancy.descriptions import MemberDescription


class MemberList(Description):
    """One page; with `next_page_token` there may be more."""

    items: list[MemberDescription]
    next_page_token: PageToken | None


@operation(
    "GET /members",
    permission=Permission.MEMBER_READ,
    rate_class=RateClass.READ,
    uses=[IDENTITY.read],
)
async def list_members(
    caller: Caller,
    services: Services,
    limit: Annotated[int, Field(ge=1, le=MAX_PAGE)] = DEFAULT_PAGE,
    page_token: PageToken | None = None,
) -> MemberList:
    """List the members of the caller's organisation, in a stable order.

    Raises: InvalidPageTokenError.
    """
    page = await services.tenancy.members.page(caller.tenant, limit, page_token)
    return MemberList(items=[MemberDescription.of(found) for found in page.items], next_page_token=page.next_page_token)
