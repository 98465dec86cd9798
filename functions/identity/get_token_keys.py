"""Publish the keys by which access tokens are verified (T2)."""

from shared.composition.services import Services
from shared.identity.session_bodies import TokenKeys
from shared.operations.capabilities import PUBLIC_KEYS
from shared.operations.declaration import public_operation


@public_operation("GET /.well-known/jwks.json", uses=[PUBLIC_KEYS.read], cache_s=600)
async def get_token_keys(services: Services) -> TokenKeys:
    """Return the public keys as a JWKS document. It may be kept for ten minutes: a key is published before it signs.

    Raises: NoSigningKeyError, SigningKeysUnavailableError.
    """
    ring = await services.identity.published_keys.ring()
    return TokenKeys.model_validate(ring.to_jwks())
