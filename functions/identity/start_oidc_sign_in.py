"""Begin to sign in through an identity provider (T2)."""

from shared.composition.services import Services
from shared.identity.oidc_bodies import StartedOidcSignIn, StartOidcSignInRequest
from shared.operations.capabilities import EXTERNAL_SIGN_INS, IDENTITY, INTERNET
from shared.operations.declaration import RateClass, public_operation


@public_operation(
    "POST /oidc-sign-ins",
    rate_class=RateClass.SIGN_IN,
    status=201,
    sets=["tenant"],
    uses=[IDENTITY.read, IDENTITY.write, INTERNET, EXTERNAL_SIGN_INS.write],
    across_tenants="the request says in which organisation somebody wants to sign in",
    timeout_s=10,
)
async def start_oidc_sign_in(request: StartOidcSignInRequest, services: Services) -> StartedOidcSignIn:
    """Begin a sign-in and say where to send the browser. It must be completed within ten minutes, and only once.

    Raises: IdentityProviderNotFoundError, UnregisteredRedirectError, UnfitIdentityProviderError,
    IdentityProviderUnreachableError.
    """
    started = await services.oidc.start.start(request.tenant, request.provider_id, request.redirect_uri)
    return StartedOidcSignIn.of(started)
