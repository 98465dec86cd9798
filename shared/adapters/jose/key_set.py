"""The issuer's public keys: fetched, remembered, refreshed when they age or an unknown key id comes."""

import time
from collections.abc import Callable, Mapping

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from shared.adapters.jose.compact import ALGORITHM, MalformedTokenError
from shared.adapters.jose.public_keys import read_public_keys
from shared.adapters.memory.remembered import Remembered
from shared.identity.tokens import TokenKeysUnavailableError

KeysById = Mapping[str, RSAPublicKey]


class KeySet:
    """Public keys by id, remembered as `Remembered` does."""

    def __init__(self, fetch: Callable[[], bytes], monotonic: Callable[[], float] = time.monotonic) -> None:
        self._keys = Remembered(
            lambda: read_keys(fetch()), failures=(OSError, MalformedTokenError), monotonic=monotonic
        )

    async def key(self, key_id: str) -> RSAPublicKey | None:
        """Return the key, None when the issuer does not know it.

        Raises: TokenKeysUnavailableError when no keys could be fetched for `STALE_FOR_S`.
        """
        try:
            keys = await self._keys.get(lambda known: key_id in known)
        except (OSError, MalformedTokenError) as error:
            raise TokenKeysUnavailableError(
                "The token issuer's keys cannot be reached. Try again in a minute."
            ) from error
        return keys.get(key_id)


def read_keys(document: bytes) -> KeysById:
    """Return the RSA signing keys of a JWKS document by id. Raises: MalformedTokenError for anything that is none."""
    found = read_public_keys(document, frozenset({ALGORITHM}))
    return {key_id: one.key for key_id, one in found.items() if isinstance(one.key, RSAPublicKey)}
