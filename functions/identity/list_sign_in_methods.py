"""Tell a login page through which providers an organisation signs in (T2)."""

from shared.composition.services import Services
from shared.identity.oidc_bodies import SignInMethods
from shared.identity.session_bodies import TenantName
from shared.operations.capabilities import IDENTITY
from shared.operations.declaration import RateClass, public_operation


@public_operation("GET /tenants/{tenant_id}/sign-in-methods", rate_class=RateClass.SIGN_IN, uses=[IDENTITY.read])
async def list_sign_in_methods(tenant_id: TenantName, services: Services) -> SignInMethods:
    """List the identity providers of an organisation by name. One that does not exist looks like one without any."""
    return SignInMethods.of(await services.oidc.providers.providers(tenant_id))
