"""How forged access tokens are made of genuine ones: in a workshop that has a genuine issuer and a forger (T2)."""

import hmac
import json
from base64 import urlsafe_b64decode
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256, HashAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import RSAAlgorithm

from tests.unit.identity.forgery import AUDIENCE, ISSUER, KEY_ID, Smith, encode

Forge = Callable[["Workshop"], str]


@dataclass(frozen=True)
class Workshop:
    """A genuine issuer and a forger at one moment (seconds since 1970); `jwk` is the genuine public key."""

    good: Smith
    bad: Smith
    jwk: dict[str, Any]
    now_s: int

    @property
    def header(self) -> dict[str, Any]:
        return self.good.header

    @property
    def claims(self) -> dict[str, Any]:
        return self.good.claims

    def sign(self, header: Any = None, payload: Any = None) -> str:
        """Return a token with a good signature over header and payload, bytes or JSON; None is the genuine one."""
        return self.good.sign(_json(header, self.header), _json(payload, self.claims))

    def written(self, **claims: bytes) -> str:
        """Return a token in whose payload some values stand as raw JSON."""
        content = json.dumps({**self.claims, **dict.fromkeys(claims, "\0")}).encode()
        for raw in claims.values():
            content = content.replace(b'"\\u0000"', raw, 1)
        return self.sign(payload=content)


def open_workshop(
    key: RSAPrivateKey, forger: RSAPrivateKey, now_s: int, *, key_id: str = KEY_ID, **claims: Any
) -> Workshop:
    """Return a workshop whose genuine tokens say `claims`, with the usual ones for whatever is not given."""
    header = {"alg": "RS256", "typ": "at+jwt", "kid": key_id}
    genuine = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "ada@acme.example",
        "jti": "b2c3",
        "iat": now_s - 60,
        "exp": now_s + 600,
        "tenant": "acme",
        "role": "maintainer",
        **claims,
    }
    public = RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    jwk = {"kty": "RSA", "n": public["n"], "e": public["e"], "kid": key_id, "use": "sig", "alg": "RS256"}
    return Workshop(Smith(key, header, genuine), Smith(forger, header, genuine), jwk, now_s)


def _json(content: Any, genuine: dict[str, Any]) -> bytes | dict[str, Any]:
    if content is None:
        return genuine
    return content if isinstance(content, bytes | dict) else json.dumps(content).encode()


def with_header(**changes: Any) -> Forge:
    return lambda shop: shop.good.with_header(**changes)


def with_claims(**changes: Any) -> Forge:
    return lambda shop: shop.good.with_claims(**changes)


def with_raw_claims(**changes: bytes) -> Forge:
    return lambda shop: shop.written(**changes)


def dated(**seconds_from_now: float) -> Forge:
    return lambda shop: shop.good.with_claims(**{name: shop.now_s + s for name, s in seconds_from_now.items()})


def keyed_by(secret: Callable[[Workshop], bytes], algorithm: str = "HS256", digest: str = "sha256") -> Forge:
    def forge(shop: Workshop) -> str:
        signing_input = _signing_input(shop, alg=algorithm)
        return f"{signing_input}.{encode(hmac.digest(secret(shop), signing_input.encode(), digest))}"

    return forge


def _signing_input(shop: Workshop, **header: Any) -> str:
    return shop.good.with_header(**header).rpartition(".")[0]


def unsigned(algorithm: str, signature: bytes = b"") -> Forge:
    return lambda shop: f"{_signing_input(shop, alg=algorithm)}.{encode(signature)}"


def pem(shop: Workshop) -> bytes:
    return shop.good.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def pkcs1_pem(shop: Workshop) -> bytes:
    return shop.good.key.public_key().public_bytes(Encoding.PEM, PublicFormat.PKCS1)


def der(shop: Workshop) -> bytes:
    return shop.good.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def signed_otherwise(pad: padding.AsymmetricPadding, digest: HashAlgorithm) -> Forge:
    def forge(shop: Workshop) -> str:
        signing_input = _signing_input(shop)
        return f"{signing_input}.{encode(shop.good.key.sign(signing_input.encode(), pad, digest))}"

    return forge


def with_signature(change: Callable[[bytes, int], bytes]) -> Forge:
    """Change the bytes of a genuine signature, given the modulus."""

    def forge(shop: Workshop) -> str:
        signing_input, _, signature = shop.good.genuine().rpartition(".")
        modulus = shop.good.key.public_key().public_numbers().n
        return f"{signing_input}.{encode(change(_decoded(signature), modulus))}"

    return forge


def with_text(change: Callable[[str], str]) -> Forge:
    """Change the text of a genuine token."""
    return lambda shop: change(shop.good.genuine())


def with_payload(change: Callable[[bytes], bytes]) -> Forge:
    """Sign a changed text of the genuine claims."""
    return lambda shop: shop.sign(payload=change(json.dumps(shop.claims).encode()))


def with_header_text(change: Callable[[bytes], bytes]) -> Forge:
    """Sign a changed text of the genuine header."""
    return lambda shop: shop.sign(header=change(json.dumps(shop.header).encode()))


def with_members(added: bytes) -> Callable[[bytes], bytes]:
    """Add members before the end of an object."""
    return lambda text: text[:-1] + b", " + added + b"}"


def _decoded(segment: str) -> bytes:
    return urlsafe_b64decode(segment + "=" * (-len(segment) % 4))


def swapped_payload(shop: Workshop) -> str:
    header, _, signature = shop.good.genuine().split(".")
    return f"{header}.{encode(json.dumps({**shop.claims, 'role': 'owner'}).encode())}.{signature}"


def spare_bits(token: str) -> str:
    """Write the same signature with another last digit: 256 bytes leave four spare bits in it."""
    digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return token[:-1] + digits[digits.index(token[-1]) ^ 1]


def other_curve(shop: Workshop) -> str:
    signing_input = _signing_input(shop, alg="ES256")
    key = ec.generate_private_key(ec.SECP256R1())
    return f"{signing_input}.{encode(key.sign(signing_input.encode(), ec.ECDSA(SHA256()))[:64])}"


def short_key(shop: Workshop) -> str:
    weak = generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 (the point of the case)
    return replace(shop.good, key=weak).genuine()


def as_json(shop: Workshop) -> str:
    return json.dumps(dict(zip(("protected", "payload", "signature"), shop.good.genuine().split("."), strict=True)))


def jwk_of(smith: Smith) -> dict[str, Any]:
    public: dict[str, Any] = RSAAlgorithm.to_jwk(smith.key.public_key(), as_dict=True)
    return {"kty": "RSA", "n": public["n"], "e": public["e"]}


def names_of(shop: Workshop) -> dict[str, Any]:
    return {"kid": shop.jwk["kid"], "use": "sig", "alg": "RS256"}
