"""Reading a compact JWS so strictly that no two readers can disagree on what it says.

JOSE libraries take the last of two equal names, pass over extensions they do not know, and believe any `typ`. All of
that is refused here, before a library sees the token.
"""

import binascii
import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from typing import Any, Final, NoReturn

MAX_TOKEN_BYTES: Final = 8192
ALGORITHM: Final = "RS256"
TOKEN_TYPE: Final = "at+jwt"  # noqa: S105 (a media type, RFC 9068)

_HEADER_NAMES: Final = {"alg", "typ", "kid"}
_KEY_ID: Final = re.compile(r"[A-Za-z0-9._~+/=:-]{1,128}")
_SEGMENT: Final = re.compile(r"[A-Za-z0-9_-]+")


class MalformedTokenError(ValueError):
    """The token is not exactly what an access token looks like."""


def key_id_of(token: str) -> str:
    """Return the key id that the header names, after checking the form of all three segments.

    The header may say `alg`, `typ` and `kid` and nothing else: keys sent along (jwk, jku, x5u, x5c) and extensions
    (crit, b64) have no place in an access token. Raises: MalformedTokenError.
    """
    if not token.isascii() or len(token) > MAX_TOKEN_BYTES:
        raise MalformedTokenError("not ASCII, or too long")
    segments = token.split(".")
    if len(segments) != 3:
        raise MalformedTokenError("not three segments")
    header = read_object(_decode(segments[0]))
    _decode(segments[1])
    _decode(segments[2])
    if header.keys() != _HEADER_NAMES or header["alg"] != ALGORITHM or header["typ"] != TOKEN_TYPE:
        raise MalformedTokenError("unexpected header")
    key_id = header["kid"]
    if not isinstance(key_id, str) or _KEY_ID.fullmatch(key_id) is None:
        raise MalformedTokenError("unexpected key id")
    return key_id


def read_object(content: bytes) -> dict[str, Any]:
    """Parse a JSON object without equal names at any depth, without NaN and infinities, and without a byte after it.

    Raises: MalformedTokenError.
    """
    try:
        value = json.loads(content.decode(), object_pairs_hook=_unique, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise MalformedTokenError("not JSON") from error
    if not isinstance(value, dict):
        raise MalformedTokenError("not an object")
    return value


def _decode(segment: str) -> bytes:
    if _SEGMENT.fullmatch(segment) is None:
        raise MalformedTokenError("not base64url")
    try:
        content = urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
    except binascii.Error as error:
        raise MalformedTokenError("not base64url") from error
    if urlsafe_b64encode(content).rstrip(b"=") != segment.encode():
        # Spare bits of the last digit let one content be written in several ways.
        raise MalformedTokenError("not canonical base64url")
    return content


def _unique(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    names = dict(pairs)
    if len(names) != len(pairs):
        raise MalformedTokenError("equal names")
    return names


def _refuse_constant(name: str) -> NoReturn:
    raise MalformedTokenError(f"{name} is not JSON")
