"""List an organisation's identity providers (T2)."""

from shared.composition.services import Services
from shared.identity.caller import Caller
from shared.identity.oidc_bodies import IdentityProviderDescription, IdentityProviderList
from shared.identity.permissions import Permission
from shared.operations.capabilities import IDENTITY
from shared.operations.declaration import RateClass, operation


@operation(
    "GET /identity-providers",
    permission=Permission.IDENTITY_PROVIDER_WRITE,
    rate_class=RateClass.READ,
    uses=[IDENTITY.read],
)
async def list_identity_providers(caller: Caller, services: Services) -> IdentityProviderList:
    """List the identity providers of the caller's organisation, oldest first, without their secrets."""
    found = await services.oidc.providers.providers(caller.tenant)
    return IdentityProviderList(items=[IdentityProviderDescription.of(provider) for provider in found])
