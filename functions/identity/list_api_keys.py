"""List API keys (T2)."""

from typing import Annotated

from pydantic import Field

from shared.composition.services import Services
from shared.identity.api_key_bodies import ApiKeyDescription, ApiKeyList
from shared.identity.caller import Caller
from shared.identity.permissions import Permission
from shared.kernel.pages import DEFAULT_PAGE, MAX_PAGE, PageToken
from shared.operations.capabilities import IDENTITY
from shared.operations.declaration import RateClass, operation


@operation(
    "GET /api-keys",
    permission=Permission.API_KEY_WRITE,
    rate_class=RateClass.READ,
    uses=[IDENTITY.read],
)
async def list_api_keys(
    caller: Caller,
    services: Services,
    limit: Annotated[int, Field(ge=1, le=MAX_PAGE)] = DEFAULT_PAGE,
    page_token: PageToken | None = None,
) -> ApiKeyList:
    """List the caller's API keys, oldest first; owners see those of all members. Revoked ones are left out.

    Raises: InvalidPageTokenError.
    """
    page = await services.authentication.api_keys.list(caller, limit, page_token)
    now = services.authentication.clock.now()
    return ApiKeyList(
        items=[ApiKeyDescription.of(key, now) for key in page.items], next_page_token=page.next_page_token
    )
