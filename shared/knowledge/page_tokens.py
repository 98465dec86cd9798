"""Where a list goes on: opaque, good for the same list with the same filters only (K1, K2).

A token holds nothing but the last id that was seen, and the tenant stands in the key of every read, so a made-up token
reaches nothing that its maker could not list anyway; the fingerprint catches mistakes, not attacks.
"""

import binascii
import hashlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Annotated, Final

from pydantic import StringConstraints

from shared.knowledge.errors import InvalidPageTokenError

MAX_PAGE: Final = 100
DEFAULT_PAGE: Final = 20

PageToken = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,256}$")]

_FINGERPRINT_BYTES: Final = 8


def page_token(after: str, *of_list: str | None) -> PageToken:
    """Return the token that continues behind `after` in the list that the strings `of_list` (tenant first) describe."""
    return urlsafe_b64encode(_fingerprint(of_list) + after.encode()).rstrip(b"=").decode()


def read_page_token(token: PageToken, *of_list: str | None) -> str:
    """Return what the token continues behind. Raises: InvalidPageTokenError, also when it belongs to another list."""
    try:
        content = urlsafe_b64decode(token + "=" * (-len(token) % 4))
        after = content[_FINGERPRINT_BYTES:].decode()
    except (binascii.Error, UnicodeDecodeError):
        content, after = b"", ""
    if not after or content[:_FINGERPRINT_BYTES] != _fingerprint(of_list):
        raise InvalidPageTokenError("The page token belongs to another list. Start again without it.")
    return after


def _fingerprint(of_list: tuple[str | None, ...]) -> bytes:
    # repr keeps ("a", "b") and ("ab",) apart, and None from "None".
    return hashlib.sha256(repr(of_list).encode()).digest()[:_FINGERPRINT_BYTES]
