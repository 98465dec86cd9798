"""The local cloud's token issuer: its own RSA key, its key set as a file, and tokens signed on request.

For the local cloud only: `dev` and `prod` take an OIDC provider by settings, and their functions refuse a key set that
does not come over HTTPS.
"""

import argparse
import json
import os
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
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

from shared.identity.permissions import Role
from shared.identity.tokens import MAX_LIFETIME_S, TENANT_PATTERN, USER_PATTERN
from shared.kernel.clock import SystemClock

ISSUER: Final = "urn:tessera:local-issuer"
AUDIENCE: Final = "tessera"
FOLDER: Final = Path(".tessera") / "identity"


@dataclass(frozen=True, slots=True)
class LocalIssuer:
    """Signs access tokens as an OIDC provider would."""

    key: rsa.RSAPrivateKey
    key_id: str
    keys_file: Path

    @property
    def keys_address(self) -> str:
        """Where a verifier of the local cloud finds the key set."""
        return self.keys_file.resolve().as_uri()

    def issue(
        self, tenant: str, user: str, role: Role, ttl_s: int = MAX_LIFETIME_S, now: datetime | None = None
    ) -> str:
        """Return a signed access token. Raises: ValueError for a tenant, user or lifetime that no verifier accepts."""
        if TENANT_PATTERN.fullmatch(tenant) is None or USER_PATTERN.fullmatch(user) is None:
            raise ValueError("A tenant is lower-case letters, digits and hyphens; a user an e-mail address or name.")
        if not 0 < ttl_s <= MAX_LIFETIME_S:
            raise ValueError(f"A token lives 1 to {MAX_LIFETIME_S} seconds.")
        issued = int((now or SystemClock().now()).timestamp())
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": user,
            "jti": secrets.token_urlsafe(16),
            "iat": issued,
            "exp": issued + ttl_s,
            "tenant": tenant,
            "role": role.value,
        }
        return jwt.encode(claims, self.key, "RS256", headers={"typ": "at+jwt", "kid": self.key_id})


def open_issuer(folder: Path = FOLDER) -> LocalIssuer:
    """Return the issuer whose key lies in `folder`; the first call makes the key. Its key set is published there."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    key = _key_of(folder / "signing-key.pem")
    public: dict[str, Any] = RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    members = {"kty": "RSA", "n": public["n"], "e": public["e"]}
    key_id = _thumbprint(members)
    key_set = {"keys": [{**members, "kid": key_id, "use": "sig", "alg": "RS256"}]}
    issuer = LocalIssuer(key, key_id, folder / "jwks.json")
    _write_beside(issuer.keys_file, json.dumps(key_set, indent=2).encode(), 0o644).replace(issuer.keys_file)
    return issuer


def _key_of(path: Path) -> rsa.RSAPrivateKey:
    if not path.exists():
        fresh = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        part = _write_beside(path, fresh.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), 0o600)
        # Of two that start at once, one key wins.
        with suppress(FileExistsError):
            path.hardlink_to(part)
        part.unlink()
    key = load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise TypeError(f"{path} holds no RSA key. Delete the file; a new key is made at the next start.")
    return key


def _write_beside(path: Path, content: bytes, mode: int) -> Path:
    """Write a new file in the same folder, readable by nobody else than `mode` says at any moment; return its path."""
    part = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)
    return part


def _thumbprint(members: dict[str, str]) -> str:
    """Name a key after its own members (RFC 7638)."""
    written = json.dumps(members, separators=(",", ":"), sort_keys=True)
    return urlsafe_b64encode(sha256(written.encode()).digest()).rstrip(b"=").decode()


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a token for the local cloud."""
    parser = argparse.ArgumentParser(prog="python -m localstack.issuer", description=main.__doc__)
    parser.add_argument("--tenant", default="demo")
    parser.add_argument("--user", default="you@demo.example")
    parser.add_argument("--role", type=Role, choices=list(Role), default=Role.OWNER)
    parser.add_argument("--ttl", type=int, default=MAX_LIFETIME_S, metavar="SECONDS")
    parser.add_argument("--folder", type=Path, default=FOLDER)
    wish = parser.parse_args(arguments)
    try:
        print(open_issuer(wish.folder).issue(wish.tenant, wish.user, wish.role, wish.ttl))
    except ValueError as error:
        parser.error(str(error))


if __name__ == "__main__":
    main()
