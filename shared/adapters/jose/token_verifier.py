"""Access tokens as signed JWTs: one strict wrapper around PyJWT, the only place that imports it to verify."""

from jwt import PyJWS
from jwt.exceptions import PyJWTError

from shared.adapters.jose.compact import ALGORITHM, MalformedTokenError, key_id_of, read_object
from shared.adapters.jose.key_set import KeySet
from shared.identity.caller import Caller
from shared.identity.tokens import InvalidTokenError, caller_of_claims
from shared.kernel.clock import Clock


class JoseTokenVerifier:
    """Verifies RS256 access tokens (RFC 9068) of one issuer for one audience."""

    def __init__(self, keys: KeySet, *, issuer: str, audience: str, clock: Clock) -> None:
        self._keys = keys
        self._issuer = issuer
        self._audience = audience
        self._clock = clock
        self._signatures = PyJWS(algorithms=[ALGORITHM])

    async def verify(self, token: str) -> Caller:
        """Return the caller. Raises: InvalidTokenError, TokenKeysUnavailableError."""
        try:
            key = await self._keys.key(key_id_of(token))
            if key is None:
                raise InvalidTokenError
            # Only bytes that the signature covers are read: the claims come out of the verified payload.
            payload = self._signatures.decode(token, key, algorithms=[ALGORITHM])
            claims = read_object(payload)
        except (MalformedTokenError, PyJWTError):
            # No cause: a traceback would tell apart what the message does not.
            raise InvalidTokenError from None
        return caller_of_claims(claims, issuer=self._issuer, audience=self._audience, now=self._clock.now())
