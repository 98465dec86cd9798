"""The public keys of a JWKS document, read for the signature algorithms that its reader accepts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt import PyJWK
from jwt.exceptions import PyJWTError

from shared.adapters.jose.compact import MalformedTokenError, read_object

MIN_KEY_BITS: Final = 2048

_ALGORITHMS_OF_KEY_TYPE: Final = {"RSA": frozenset({"RS256", "PS256"}), "EC": frozenset({"ES256"})}


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key, and the algorithms whose signatures it may verify: what its owner says, within what it is."""

    key: RSAPublicKey | EllipticCurvePublicKey
    algorithms: frozenset[str]


def read_public_keys(document: bytes, accepted: frozenset[str]) -> Mapping[str, PublicKey]:
    """Return the signing keys of a JWKS document by id; keys of other kinds, uses and algorithms are passed over.

    `accepted` are names of RS256, PS256 and ES256. A key id that stands there twice names no key.
    Raises: MalformedTokenError for anything that is no key set.
    """
    entries = read_object(document).get("keys")
    if not isinstance(entries, list):
        raise MalformedTokenError("no keys")
    keys: dict[str, PublicKey] = {}
    ambiguous: set[str] = set()
    for entry in entries:
        algorithms = _algorithms_of(entry) & accepted
        key = _key_of(entry, algorithms)
        if key is None:
            continue
        if entry["kid"] in keys:
            ambiguous.add(entry["kid"])
        keys[entry["kid"]] = PublicKey(key, algorithms)
    return {key_id: key for key_id, key in keys.items() if key_id not in ambiguous}


def _algorithms_of(entry: Any) -> frozenset[str]:
    if not isinstance(entry, dict) or not isinstance(entry.get("kid"), str) or entry.get("use", "sig") != "sig":
        return frozenset()
    key_type, named = entry.get("kty"), entry.get("alg")
    possible = _ALGORITHMS_OF_KEY_TYPE.get(key_type, frozenset()) if isinstance(key_type, str) else frozenset()
    return possible if named is None else frozenset(name for name in possible if name == named)


def _key_of(entry: Any, algorithms: frozenset[str]) -> RSAPublicKey | EllipticCurvePublicKey | None:
    if not algorithms:
        return None
    try:
        key = PyJWK(entry, min(algorithms)).key
    except PyJWTError:
        return None
    # A published private key is no public key, and could sign for anybody.
    if isinstance(key, RSAPublicKey) and key.key_size >= MIN_KEY_BITS:
        return key
    if isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1):
        return key
    return None
