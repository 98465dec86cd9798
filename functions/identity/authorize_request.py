"""Tell who a request comes from (T2, T3)."""

from shared.composition.services import Services
from shared.identity.caller import Caller
from shared.operations.capabilities import IDENTITY, PUBLIC_KEYS, TOKEN_AUDIENCE, TOKEN_ISSUER
from shared.operations.declaration import AuthorizerTrigger, operation


@operation(
    AuthorizerTrigger(),
    uses=[
        TOKEN_AUDIENCE,
        TOKEN_ISSUER,
        IDENTITY.read,
        IDENTITY.write,
        PUBLIC_KEYS.read,
    ],
    across_tenants="the tenant stands in the credentials that it is asked to judge",
    memory_mb=256,
    timeout_s=10,
)
async def authorize_request(bearer: str, services: Services) -> Caller:
    """Recognise the sender of a request by an access token or an API key, who must still be a member.

    It only authenticates: the answer is cached per credential and covers every route, so what the caller may do is
    decided by the entry layer of each operation. It writes nothing but when an API key was last used.

    Raises: InvalidTokenError, TokenKeysUnavailableError.
    """
    return await services.authentication.authenticator.authenticate(bearer)
