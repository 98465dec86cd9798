"""Complete a sign-in through an identity provider (T2)."""

from shared.composition.services import Services
from shared.identity.oidc_bodies import CompleteOidcSignInRequest
from shared.identity.session_bodies import SessionTokens
from shared.operations.capabilities import (
    ACCOUNTS,
    CREDENTIALS_KEY,
    EXTERNAL_SIGN_INS,
    IDENTITY,
    INTERNET,
    PUBLIC_KEYS,
    SIGNING_KEYS,
    TOKEN_AUDIENCE,
    TOKEN_ISSUER,
)
from shared.operations.declaration import RateClass, public_operation


@public_operation(
    "POST /oidc-sign-ins/completion",
    rate_class=RateClass.SIGN_IN,
    uses=[
        IDENTITY.read,
        IDENTITY.write,
        SIGNING_KEYS.read,
        CREDENTIALS_KEY.open,
        TOKEN_ISSUER,
        TOKEN_AUDIENCE,
        INTERNET,
        ACCOUNTS.read,
        ACCOUNTS.write,
        EXTERNAL_SIGN_INS.write,
        PUBLIC_KEYS.read,
    ],
    across_tenants="the sign-in under way says for which organisation it is",
    memory_mb=512,
    timeout_s=25,
)
async def complete_oidc_sign_in(request: CompleteOidcSignInRequest, services: Services) -> SessionTokens:
    """Begin a session for whom the identity provider vouched, in the organisation of that provider and no other.

    Members are recognised, people with an invitation join, and so does everybody of the right e-mail domains where the
    connection says so.

    Raises: UnknownSignInError, RefusedSignInError, NotAdmittedError, UnfitIdentityProviderError,
    IdentityProviderUnreachableError, ChangedMeanwhileError, PasswordChangedMeanwhileError, NoSigningKeyError,
    SigningKeysUnavailableError, SessionsBusyError.
    """
    return SessionTokens.of(await services.oidc.completion.complete(request.to_returned()))
