"""What fetching from web addresses needs from outside, and what may be refused about an address. Codes are stable."""

from enum import StrEnum
from typing import ClassVar, Protocol

from shared.kernel.errors import Kind, TesseraError
from shared.kernel.ids import TenantId
from shared.knowledge.models import ObjectVersion


class UrlReason(StrEnum):
    """Why nothing was fetched from an address; it stands in the document's `reason`. Part of the API."""

    FORBIDDEN = "url_forbidden"
    DISALLOWED_BY_ROBOTS = "url_disallowed_by_robots"
    NOT_FOUND = "url_not_found"
    REFUSED = "url_refused"
    TOO_LARGE = "url_too_large"
    TOO_MANY_REDIRECTS = "url_too_many_redirects"
    UNREACHABLE = "url_unreachable"


class UrlForbiddenError(TesseraError):
    """The address leads, or could lead, where nothing may be fetched."""

    code: ClassVar[str] = "url-forbidden"
    kind: ClassVar[Kind] = Kind.INVALID


class PageRefusedError(Exception):
    """Nothing will ever come of this address; asking again would not help. Stays inside the domain."""

    def __init__(self, reason: UrlReason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


class PageUnavailableError(Exception):
    """Nothing came of this address now; it may later. The text may be read by whoever chose the address."""


class UrlPolicy(Protocol):
    """Knows which addresses may be fetched, as far as an address itself tells."""

    def admit(self, url: str) -> str:
        """Return `url` without its fragment. Raises: UrlForbiddenError."""
        ...


class WebPages(Protocol):
    """Fetches from addresses that users chose; what it learns of a site for one tenant it uses for no other."""

    async def fetch(self, tenant: TenantId, url: str, max_bytes: int) -> bytes:
        """Return what stands at `url`, at most `max_bytes`. Raises: PageRefusedError, PageUnavailableError."""
        ...


class PromisedObjects(Protocol):
    """The uploads bucket, for files that are put under a promised key. Refuses a key outside `t/<tenant>/`."""

    async def head(self, tenant: TenantId, key: str) -> ObjectVersion | None:
        """Return the current version of `key`; None when there is none, or when it is a delete marker."""
        ...

    async def put_once(self, tenant: TenantId, key: str, content: bytes) -> None:
        """Put `content` under `key` unless it has a current version: the first writer wins."""
        ...
