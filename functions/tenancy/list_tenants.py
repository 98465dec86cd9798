"""List the organisations of the deployment (T1)."""

from typing import Annotated

from pydantic import Field

from shared.composition.services import Services
from shared.identity.caller import Caller
from shared.identity.permissions import Permission
from shared.kernel.bodies import Description
from shared.kernel.pages import DEFAULT_PAGE, MAX_PAGE, PageToken
from shared.operations.capabilities import IDENTITY
from shared.operations.declaration import RateClass, operation
from shared.tenancy.descriptions import TenantDescription


class TenantList(Description):
    """One page; with `next_page_token` there may be more."""

    items: list[TenantDescription]
    next_page_token: PageToken | None


@operation(
    "GET /tenants",
    permission=Permission.TENANT_OPERATE,
    rate_class=RateClass.READ,
    uses=[IDENTITY.query_indexes],
)
async def list_tenants(
    caller: Caller,
    services: Services,
    limit: Annotated[int, Field(ge=1, le=MAX_PAGE)] = DEFAULT_PAGE,
    page_token: PageToken | None = None,
) -> TenantList:
    """List the organisations of the deployment, oldest first; one created a moment ago may be missing.

    Raises: InvalidPageTokenError.
    """
    page = await services.tenancy.operating.page(caller.tenant, limit, page_token)
    now = services.tenancy.clock.now()
    return TenantList(
        items=[TenantDescription.of(tenant, now) for tenant in page.items], next_page_token=page.next_page_token
    )
