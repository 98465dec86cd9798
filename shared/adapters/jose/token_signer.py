"""Access tokens written and signed with PyJWT, and the RSA keys that sign them."""

import asyncio
import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from functools import lru_cache
from hashlib import sha256
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from jwt.algorithms import RSAAlgorithm

from shared.adapters.jose.compact import ALGORITHM
from shared.identity.signing_keys import NewKey

KEY_BITS: Final = 2048
_PUBLIC_EXPONENT: Final = 65537
_REMEMBERED: Final = 4
"""Private keys held ready: reading one from PEM takes longer than signing with it."""


class JoseTokenSigner:
    """Implements `TokenSigner`."""

    def __init__(self) -> None:
        self._loaded = lru_cache(_REMEMBERED)(_load)

    def sign(self, claims: Mapping[str, str | int], key_id: str, private_key: str) -> str:
        headers = {"typ": "at+jwt", "kid": key_id}
        return jwt.encode(dict(claims), self._loaded(private_key), ALGORITHM, headers=headers)


class RsaKeyMaker:
    """Implements `KeyMaker`: a key is named after its own members (RFC 7638)."""

    async def make(self) -> NewKey:
        return await asyncio.to_thread(_make)


def _make() -> NewKey:
    key = rsa.generate_private_key(public_exponent=_PUBLIC_EXPONENT, key_size=KEY_BITS)
    public: dict[str, Any] = RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    members = {"e": public["e"], "kty": "RSA", "n": public["n"]}
    written = json.dumps(members, separators=(",", ":"), sort_keys=True)
    key_id = urlsafe_b64encode(sha256(written.encode()).digest()).rstrip(b"=").decode()
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return NewKey(key_id, members["n"], members["e"], private)


def _load(private_key: str) -> rsa.RSAPrivateKey:
    key = load_pem_private_key(private_key.encode(), password=None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise TypeError("The signing key is no RSA key.")
    return key
