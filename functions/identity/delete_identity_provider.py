"""Disconnect an organisation from an identity provider (T2)."""

from shared.composition.services import Services
from shared.identity.caller import Caller
from shared.identity.permissions import Permission
from shared.kernel.ids import IdentityProviderId
from shared.operations.capabilities import IDENTITY
from shared.operations.declaration import RateClass, operation


@operation(
    "DELETE /identity-providers/{provider_id}",
    permission=Permission.IDENTITY_PROVIDER_WRITE,
    rate_class=RateClass.WRITE,
    status=204,
    uses=[IDENTITY.read, IDENTITY.write],
)
async def delete_identity_provider(provider_id: IdentityProviderId, caller: Caller, services: Services) -> None:
    """Delete a connection: from now on nobody signs in through it. Members stay, and so do sessions until they end.

    Raises: IdentityProviderNotFoundError, also when it belongs to another tenant; GrantBeyondCallerError.
    """
    await services.oidc.disconnecting.delete(caller, provider_id)
