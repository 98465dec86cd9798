"""Tell who a request comes from (T2, T3)."""

from shared.composition.services import Services
from shared.identity.caller import Caller
from shared.operations.capabilities import TOKEN_AUDIENCE, TOKEN_ISSUER, TOKEN_KEYS
from shared.operations.declaration import AuthorizerTrigger, operation


@operation(AuthorizerTrigger(), uses=[TOKEN_AUDIENCE, TOKEN_ISSUER, TOKEN_KEYS], memory_mb=256, timeout_s=10)
async def authorize_request(token: str, services: Services) -> Caller:
    """Verify an access token and return its tenant, user and role.

    It only authenticates: the answer is cached per token and covers every route, so what the caller may do is decided
    by the entry layer of each operation.

    Raises: InvalidTokenError, TokenKeysUnavailableError.
    """
    return await services.token_verifier.verify(token)
