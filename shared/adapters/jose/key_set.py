"""The issuer's public keys: fetched by address, remembered, refreshed when they age or an unknown key id comes."""

import asyncio
import threading
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
from jwt import PyJWK
from jwt.exceptions import PyJWTError

from shared.adapters.jose.compact import ALGORITHM, MalformedTokenError, read_object
from shared.identity.tokens import TokenKeysUnavailableError
from shared.kernel.errors import Kind, TesseraError

FRESH_FOR_S: Final = 600
STALE_FOR_S: Final = 86_400
"""How long keys are believed while their address does not answer; then a withdrawn key would live too long."""
RETRY_AFTER_S: Final = 30
"""Least time between two fetches while some keys are known: unknown key ids cost the sender nothing."""
FETCH_TIMEOUT_S: Final = 3
MAX_BYTES: Final = 65_536
MIN_KEY_BITS: Final = 2048
LOCAL: Final = "local"

KeysById = Mapping[str, RSAPublicKey]


class UntrustedKeyAddressError(TesseraError):
    """Keys from that address could be anybody's."""

    code: ClassVar[str] = "untrusted-key-address"
    kind: ClassVar[Kind] = Kind.UNAVAILABLE


class KeySet:
    """Public keys by id. Fetching happens in a thread and one at a time, whatever event loop asks."""

    def __init__(self, fetch: Callable[[], bytes], monotonic: Callable[[], float] = time.monotonic) -> None:
        self._fetch = fetch
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._keys: KeysById = {}
        self._fetched_at: float | None = None
        self._tried_at: float | None = None

    async def key(self, key_id: str) -> RSAPublicKey | None:
        """Return the key, None when the issuer does not know it.

        Raises: TokenKeysUnavailableError when no keys could be fetched for `STALE_FOR_S`.
        """
        if not self._wants_fetch(key_id):
            return self._keys.get(key_id)
        return await asyncio.to_thread(self._look_again, key_id)

    def _look_again(self, key_id: str) -> RSAPublicKey | None:
        with self._lock:
            if self._wants_fetch(key_id):  # somebody may have fetched while this thread waited
                self._tried_at = self._monotonic()
                try:
                    self._keys = read_keys(self._fetch())
                    self._fetched_at = self._tried_at
                except (OSError, HTTPException, MalformedTokenError) as error:
                    if self._age() > STALE_FOR_S:
                        raise TokenKeysUnavailableError(
                            "The token issuer's keys cannot be reached. Try again in a minute."
                        ) from error
            return self._keys.get(key_id)

    def _wants_fetch(self, key_id: str) -> bool:
        if self._age() > STALE_FOR_S or self._tried_at is None:
            return True
        rested = self._monotonic() - self._tried_at >= RETRY_AFTER_S
        return rested and (self._age() >= FRESH_FOR_S or key_id not in self._keys)

    def _age(self) -> float:
        return float("inf") if self._fetched_at is None else self._monotonic() - self._fetched_at


def read_keys(document: bytes) -> KeysById:
    """Return the RSA signing keys of a JWKS document by id; keys of other kinds and uses are passed over.

    A key id that stands there twice names no key. Raises: MalformedTokenError for anything that is no key set.
    """
    entries = read_object(document).get("keys")
    if not isinstance(entries, list):
        raise MalformedTokenError("no keys")
    keys: dict[str, RSAPublicKey] = {}
    ambiguous: set[str] = set()
    for entry in entries:
        if not _is_signing_key(entry):
            continue
        try:
            key = PyJWK(entry, ALGORITHM).key
        except PyJWTError:
            continue
        # A published private key is no RSAPublicKey, and could sign for anybody.
        if not isinstance(key, RSAPublicKey) or key.key_size < MIN_KEY_BITS:
            continue
        if entry["kid"] in keys:
            ambiguous.add(entry["kid"])
        keys[entry["kid"]] = key
    return {key_id: key for key_id, key in keys.items() if key_id not in ambiguous}


def _is_signing_key(entry: Any) -> bool:
    return (
        isinstance(entry, dict)
        and entry.get("kty") == "RSA"
        and isinstance(entry.get("kid"), str)
        and entry.get("use", "sig") == "sig"
        and entry.get("alg", ALGORITHM) == ALGORITHM
    )


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
