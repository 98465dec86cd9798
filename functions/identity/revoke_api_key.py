"""Revoke an API key (T2)."""

from shared.composition.services import Services
from shared.identity.caller import Caller
from shared.identity.permissions import Permission
from shared.kernel.ids import ApiKeyId
from shared.operations.capabilities import IDENTITY
from shared.operations.declaration import RateClass, operation


@operation(
    "DELETE /api-keys/{key_id}",
    permission=Permission.API_KEY_WRITE,
    rate_class=RateClass.WRITE,
    status=204,
    uses=[IDENTITY.read, IDENTITY.write],
)
async def revoke_api_key(key_id: ApiKeyId, caller: Caller, services: Services) -> None:
    """Revoke an API key for good: everywhere within a minute it opens nothing. Owners revoke those of all members.

    Raises: ApiKeyNotFoundError, also for a key of somebody else whom the caller does not manage.
    """
    await services.authentication.api_keys.revoke(caller, key_id)
