"""Exchange a refresh token (T2)."""

from shared.composition.services import Services
from shared.identity.session_bodies import RefreshRequest, SessionTokens
from shared.operations.capabilities import ACCOUNTS, IDENTITY, PUBLIC_KEYS, SIGNING_KEYS, TOKEN_AUDIENCE, TOKEN_ISSUER
from shared.operations.declaration import RateClass, public_operation


@public_operation(
    "POST /sessions/refresh",
    rate_class=RateClass.SIGN_IN,
    uses=[
        IDENTITY.read,
        IDENTITY.write,
        SIGNING_KEYS.read,
        TOKEN_ISSUER,
        TOKEN_AUDIENCE,
        ACCOUNTS.read,
        PUBLIC_KEYS.read,
    ],
    across_tenants="the refresh token says in which organisation its session is",
    timeout_s=10,
)
async def refresh_session(request: RefreshRequest, services: Services) -> SessionTokens:
    """Exchange a refresh token for a new access token and the next refresh token.

    Each refresh token is good once. Sent again within ten seconds, after an answer that got lost, it brings the same
    successor; sent again later it ends the session, for somebody else may have it.

    Raises: InvalidRefreshTokenError, NoSigningKeyError, SigningKeysUnavailableError, SessionsBusyError.
    """
    return SessionTokens.of(await services.identity.sessions.refresh(request.refresh_token.get_secret_value()))
