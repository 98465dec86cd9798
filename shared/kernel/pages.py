"""Lists page by page: a token says where one goes on, good for the same list with the same filters only (K1, K2).

A token holds nothing but the last id that was seen, and the tenant stands in the key of every read, so a made-up token
reaches nothing that its maker could not list anyway; the fingerprint of list and place catches mistakes, not attacks.
"""

import hashlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, ClassVar, Final, Generic, TypeVar

from pydantic import StringConstraints

from shared.kernel.errors import Kind, TesseraError

T = TypeVar("T")

MAX_PAGE: Final = 100
DEFAULT_PAGE: Final = 20

PageToken = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,256}$")]

_FINGERPRINT_BYTES: Final = 8
_READ_AT_ONCE: Final = 100
_READS_PER_PAGE: Final = 10
"""A filter that fits little returns short pages with a token rather than reading a whole list in one request."""


class InvalidPageTokenError(TesseraError):
    code: ClassVar[str] = "invalid-page-token"
    kind: ClassVar[Kind] = Kind.INVALID


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some of a list; with a token there may be more, even when the page is short or empty."""

    items: list[T]
    next_page_token: PageToken | None


def page_token(after: str, *of_list: str | None) -> PageToken:
    """Return the token that continues behind `after` in the list that the strings `of_list` (tenant first) describe."""
    return urlsafe_b64encode(_fingerprint(after, of_list) + after.encode()).rstrip(b"=").decode()


def read_page_token(token: PageToken, *of_list: str | None) -> str:
    """Return what the token continues behind. Raises: InvalidPageTokenError, also when it belongs to another list."""
    try:
        after = urlsafe_b64decode(token + "=" * (-len(token) % 4))[_FINGERPRINT_BYTES:].decode()
    except ValueError:
        after = ""
    # Written again and compared, since several texts decode to the same bytes.
    if not after or token != page_token(after, *of_list):
        raise InvalidPageTokenError("The page token belongs to another list. Start again without it.")
    return after


async def collect_page(
    read: Callable[[int, str | None], Awaitable[list[T]]],
    position_of: Callable[[T], str],
    fits: Callable[[T], bool],
    limit: int,
    token: PageToken | None,
    of_list: tuple[str | None, ...],
) -> Page[T]:
    """Return up to `limit` of the records that fit, from where `token` says (None: from the start).

    `read` returns up to so many records behind a position, in order. Raises: InvalidPageTokenError.
    """
    after = None if token is None else read_page_token(token, *of_list)
    found: list[T] = []
    for _ in range(_READS_PER_PAGE):
        records = await read(_READ_AT_ONCE, after)
        for record in records:
            if not fits(record):
                after = position_of(record)
                continue
            if len(found) == limit:
                # Ends before a record that fits, so a full page has a token only when there is a next one.
                return Page(found, page_token(after or "", *of_list))
            found.append(record)
            after = position_of(record)
        if len(records) < _READ_AT_ONCE:
            return Page(found, None)
    return Page(found, page_token(after or "", *of_list))


def _fingerprint(after: str, of_list: tuple[str | None, ...]) -> bytes:
    # repr keeps ("a", "b") and ("ab",) apart, and None from "None".
    return hashlib.sha256(repr((after, of_list)).encode()).digest()[:_FINGERPRINT_BYTES]
