"""The issuer's public keys: fetched by address, remembered, refreshed when they age or an unknown key id comes."""

import time
import urllib.request
from collections.abc import Callable, Mapping
from http.client import HTTPException
from ipaddress import ip_address
from pathlib import Path
from typing import Any, ClassVar, Final
from urllib.parse import urlsplit
from urllib.request import url2pathname

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from shared.adapters.jose.compact import ALGORITHM, MalformedTokenError
from shared.adapters.jose.public_keys import read_public_keys
from shared.adapters.memory.remembered import Remembered
from shared.identity.tokens import TokenKeysUnavailableError
from shared.kernel.errors import Kind, TesseraError

FETCH_TIMEOUT_S: Final = 3
MAX_BYTES: Final = 65_536
LOCAL: Final = "local"

KeysById = Mapping[str, RSAPublicKey]


class UntrustedKeyAddressError(TesseraError):
    """Keys from that address could be anybody's."""

    code: ClassVar[str] = "untrusted-key-address"
    kind: ClassVar[Kind] = Kind.UNAVAILABLE


class KeySet:
    """Public keys by id, remembered as `Remembered` does."""

    def __init__(self, fetch: Callable[[], bytes], monotonic: Callable[[], float] = time.monotonic) -> None:
        self._keys = Remembered(
            lambda: read_keys(fetch()), failures=(OSError, HTTPException, MalformedTokenError), monotonic=monotonic
        )

    async def key(self, key_id: str) -> RSAPublicKey | None:
        """Return the key, None when the issuer does not know it.

        Raises: TokenKeysUnavailableError when no keys could be fetched for `STALE_FOR_S`.
        """
        try:
            keys = await self._keys.get(lambda known: key_id in known)
        except (OSError, HTTPException, MalformedTokenError) as error:
            raise TokenKeysUnavailableError(
                "The token issuer's keys cannot be reached. Try again in a minute."
            ) from error
        return keys.get(key_id)


def read_keys(document: bytes) -> KeysById:
    """Return the RSA signing keys of a JWKS document by id. Raises: MalformedTokenError for anything that is none."""
    found = read_public_keys(document, frozenset({ALGORITHM}))
    return {key_id: one.key for key_id, one in found.items() if isinstance(one.key, RSAPublicKey)}


def fetcher(address: str, environment: str) -> Callable[[], bytes]:
    """Return what fetches the document at `address`: HTTPS; in the local cloud also a file, or HTTP on loopback.

    Raises: UntrustedKeyAddressError for any other address.
    """
    parts = urlsplit(address)
    if parts.scheme == "https" and parts.hostname:
        return lambda: _download(address)
    if environment == LOCAL and parts.scheme == "file" and not parts.netloc:
        path = Path(url2pathname(parts.path))
        return path.read_bytes
    if environment == LOCAL and parts.scheme == "http" and _is_loopback(parts.hostname):
        return lambda: _download(address)
    raise UntrustedKeyAddressError("Set an https address for the token issuer's keys.", environment=environment)


def _is_loopback(host: str | None) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host or "").is_loopback
    except ValueError:
        return False


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect could lead from a trusted address to any other."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def _download(address: str) -> bytes:
    opener = urllib.request.build_opener(_NoRedirects)
    request = urllib.request.Request(address, headers={"accept": "application/json"})  # noqa: S310 (checked above)
    with opener.open(request, timeout=FETCH_TIMEOUT_S) as response:
        content: bytes = response.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise MalformedTokenError("key set too large")
    return content
