"""Writing tokens byte by byte, as a forger would; no JOSE library stands between a test and what it sends."""

import json
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256

NOW: Final = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
NOW_S: Final = int(NOW.timestamp())
ISSUER: Final = "https://sign-in.example"
AUDIENCE: Final = "tessera"
KEY_ID: Final = "key-1"

HEADER: Final[dict[str, Any]] = {"alg": "RS256", "typ": "at+jwt", "kid": KEY_ID}
CLAIMS: Final[dict[str, Any]] = {
    "iss": ISSUER,
    "aud": AUDIENCE,
    "sub": "ada@acme.example",
    "jti": "b2c3",
    "iat": NOW_S - 60,
    "exp": NOW_S + 600,
    "tenant": "acme",
    "role": "maintainer",
}


def encode(content: bytes) -> str:
    return urlsafe_b64encode(content).rstrip(b"=").decode()


@dataclass(frozen=True)
class Smith:
    """Makes tokens with a good signature over anything at all; `header` and `claims` are those of a genuine one."""

    key: RSAPrivateKey = field(repr=False)
    header: dict[str, Any] = field(default_factory=lambda: HEADER)
    claims: dict[str, Any] = field(default_factory=lambda: CLAIMS)

    def sign(self, header: bytes | dict[str, Any], payload: bytes | dict[str, Any]) -> str:
        """Return a token whose signature is right, whatever header and payload say."""
        signing_input = f"{encode(_bytes(header))}.{encode(_bytes(payload))}"
        return f"{signing_input}.{encode(self.key.sign(signing_input.encode(), PKCS1v15(), SHA256()))}"

    def with_header(self, **changes: Any) -> str:
        return self.sign(_changed(self.header, changes), self.claims)

    def with_claims(self, **changes: Any) -> str:
        return self.sign(self.header, _changed(self.claims, changes))

    def genuine(self) -> str:
        return self.sign(self.header, self.claims)


class Absent:
    """Marks a name to leave out."""


def _changed(members: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in {**members, **changes}.items() if value is not Absent}


def _bytes(content: bytes | dict[str, Any]) -> bytes:
    return content if isinstance(content, bytes) else json.dumps(content).encode()
