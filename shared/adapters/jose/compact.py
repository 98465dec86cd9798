"""Reading a compact JWS so strictly that no two readers can disagree on what it says.

JOSE libraries take the last of two equal names, pass over extensions they do not know, and believe any `typ`. All of
that is refused here, before a library sees the token.
"""

import binascii
import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, NoReturn

ALGORITHM: Final = "RS256"

_KEY_ID: Final = re.compile(r"[A-Za-z0-9._~+/=:-]{1,128}")
_SEGMENT: Final = re.compile(r"[A-Za-z0-9_-]+")


class MalformedTokenError(ValueError):
    """The token is not exactly what a token of its kind looks like."""


@dataclass(frozen=True, slots=True)
class HeaderRules:
    """What the header of one kind of token says: the names of `required`, perhaps of `optional`, and nothing else.

    Keys sent along (jwk, jku, x5u, x5c) and extensions (crit, b64) so have no place in any token. `types` are the
    values that `typ` may have where it stands.
    """

    algorithms: frozenset[str]
    types: frozenset[str]
    required: frozenset[str]
    optional: frozenset[str] = frozenset()
    max_bytes: int = 8192


@dataclass(frozen=True, slots=True)
class Header:
    """Which key is said to have signed a token, and how."""

    algorithm: str
    key_id: str


ACCESS_TOKEN: Final = HeaderRules(
    algorithms=frozenset({ALGORITHM}), types=frozenset({"at+jwt"}), required=frozenset({"alg", "typ", "kid"})
)
"""Our own access tokens (RFC 9068)."""

ID_TOKEN: Final = HeaderRules(
    algorithms=frozenset({"RS256", "PS256", "ES256"}),
    types=frozenset({"JWT"}),
    required=frozenset({"alg", "kid"}),
    # A thumbprint of the key's certificate: Microsoft's older tokens say it, and it only repeats what `kid` says.
    optional=frozenset({"typ", "x5t"}),
    max_bytes=16_384,
)
"""ID tokens of other issuers (OpenID Connect Core §2); some carry all groups of a user."""


def key_id_of(token: str) -> str:
    """Return the key id that the header of an access token names. Raises: MalformedTokenError."""
    return read_header(token, ACCESS_TOKEN).key_id


def read_header(token: str, rules: HeaderRules) -> Header:
    """Return what the header says, after checking the form of all three segments. Raises: MalformedTokenError."""
    if not token.isascii() or len(token) > rules.max_bytes:
        raise MalformedTokenError("not ASCII, or too long")
    segments = token.split(".")
    if len(segments) != 3:
        raise MalformedTokenError("not three segments")
    header = read_object(_decode(segments[0]))
    _decode(segments[1])
    _decode(segments[2])
    if not rules.required <= header.keys() <= rules.required | rules.optional:
        raise MalformedTokenError("unexpected header")
    if not _is_one_of(header["alg"], rules.algorithms):
        raise MalformedTokenError("unexpected algorithm")
    if "typ" in header and not _is_one_of(header["typ"], rules.types):
        raise MalformedTokenError("unexpected type")
    key_id = header["kid"]
    if not isinstance(key_id, str) or _KEY_ID.fullmatch(key_id) is None:
        raise MalformedTokenError("unexpected key id")
    return Header(header["alg"], key_id)


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


def _is_one_of(value: object, names: frozenset[str]) -> bool:
    return isinstance(value, str) and value in names


def _unique(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    names = dict(pairs)
    if len(names) != len(pairs):
        raise MalformedTokenError("equal names")
    return names


def _refuse_constant(name: str) -> NoReturn:
    raise MalformedTokenError(f"{name} is not JSON")
