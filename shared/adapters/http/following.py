"""Redirects, followed one by one: each leads to another request, read, judged, resolved and pinned from scratch."""

import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urldefrag, urljoin

from shared.adapters.http.guarded_fetcher import (
    Answer,
    DestinationRefusedError,
    FetchFailedError,
    GuardedFetcher,
    read_target,
)
from shared.adapters.http.timed_socket import Deadline

REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_FOR_ALL_SITES: Final = frozenset({"accept", "user-agent"})
"""Other headers may carry secrets, and go to the site alone that they were meant for."""

Before = Callable[[str, Deadline], None]
"""Looks at each address before it is asked, within the same deadline; raises what keeps it from being asked."""


class TooManyRedirectsError(FetchFailedError):
    """Nobody knows where it would end."""


def go_on(_url: str, _deadline: Deadline) -> None:
    """Look at nothing."""


@dataclass(frozen=True)
class RedirectFollower:
    """Gets what stands at an address, or at most `redirects` redirects further on, all under one deadline."""

    fetcher: GuardedFetcher
    redirects: int
    before: Before = go_on

    def get(self, url: str, headers: Mapping[str, str] | None = None, deadline: Deadline | None = None) -> Answer:
        """Raises: DestinationRefusedError, AnswerTooLargeError, TooManyRedirectsError, FetchFailedError."""
        common = deadline or Deadline(self.fetcher.timeout_s)
        for _ in range(self.redirects + 1):
            self.before(url, common)
            answer = self.fetcher.get(url, headers, common)
            location = answer.headers.get("location")
            if answer.status not in REDIRECTS or location is None:
                return answer
            left, url = url, _next_address(url, location)
            if _site_of(url) != _site_of(left):
                headers = {name: said for name, said in (headers or {}).items() if name.lower() in _FOR_ALL_SITES}
        raise TooManyRedirectsError(f"it redirects more than {self.redirects} times")


def _next_address(url: str, location: str) -> str:
    """Return where `location` leads; what is no ASCII in it is sent as the bytes that it came as."""
    plain = quote(location, safe=string.printable, encoding="latin-1")
    try:
        return urldefrag(urljoin(url, plain)).url
    except ValueError as error:
        raise DestinationRefusedError("it redirects to what is no address") from error


def _site_of(url: str) -> tuple[str, str, int]:
    target = read_target(url)
    return target.scheme, target.host, target.port
