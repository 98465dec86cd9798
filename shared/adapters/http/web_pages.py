"""Fetching what users named by its web address: guarded, led on a few times, and only where robots are welcome (K2)."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Final

from shared.adapters.http.following import RedirectFollower, TooManyRedirectsError
from shared.adapters.http.guarded_fetcher import (
    Answer,
    AnswerTooLargeError,
    DestinationRefusedError,
    FetchFailedError,
    GuardedFetcher,
    read_target,
)
from shared.adapters.http.robots_memory import RobotsMemory
from shared.adapters.http.robots_rules import MAX_BYTES, RobotsRules
from shared.adapters.http.timed_socket import Deadline
from shared.adapters.http.web_addresses import WebAddresses
from shared.kernel.ids import TenantId
from shared.kernel.tenants import AdmittedTenant, admitted
from shared.knowledge.web_pages import PageRefusedError, PageUnavailableError, UrlForbiddenError, UrlReason

ROBOT: Final = "Tessera"
REDIRECTS: Final = 5
_PASSING: Final = frozenset({408, 425, 429})
_GONE: Final = frozenset({404, 410})


class WebUrlPolicy:
    """Implements `UrlPolicy`."""

    def __init__(self, addresses: WebAddresses) -> None:
        self._addresses = addresses

    def admit(self, url: str) -> str:
        plain = url.partition("#")[0]
        try:
            self._addresses.admit(read_target(plain))
        except DestinationRefusedError as error:
            raise UrlForbiddenError(
                f"This address cannot be fetched: {error}. "
                "Name an https address of the public internet, as a browser sends it."
            ) from error
        return plain


class GuardedWebPages:
    """Implements `WebPages`. It remembers what sites say to robots between invocations."""

    def __init__(self, fetcher: GuardedFetcher, contact: str, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._headers: Mapping[str, str] = {"user-agent": _user_agent(contact), "accept": "*/*"}
        self._fetcher = fetcher
        self._robots = RedirectFollower(replace(fetcher, max_bytes=MAX_BYTES), REDIRECTS)
        self._memory = RobotsMemory(monotonic)

    async def fetch(self, tenant: TenantId, url: str, max_bytes: int) -> bytes:
        return await asyncio.to_thread(self._fetch, admitted(tenant), url, max_bytes)

    def _fetch(self, tenant: AdmittedTenant, url: str, max_bytes: int) -> bytes:
        heed_robots = partial(self._heed_robots, tenant)
        follower = RedirectFollower(replace(self._fetcher, max_bytes=max_bytes), REDIRECTS, heed_robots)
        try:
            answer = follower.get(url, self._headers)
        except DestinationRefusedError as error:
            raise PageRefusedError(UrlReason.FORBIDDEN, f"The address cannot be fetched: {error}.") from error
        except TooManyRedirectsError as error:
            raise PageRefusedError(UrlReason.TOO_MANY_REDIRECTS, f"The address leads nowhere: {error}.") from error
        except AnswerTooLargeError as error:
            detail = f"What stands at the address has more than {max_bytes} bytes."
            raise PageRefusedError(UrlReason.TOO_LARGE, detail) from error
        except FetchFailedError as error:
            raise PageUnavailableError(f"The address could not be fetched: {error}.") from error
        return _content_of(answer)

    def _heed_robots(self, tenant: AdmittedTenant, url: str, deadline: Deadline) -> None:
        """Raises: PageRefusedError when robots are not welcome there; FetchFailedError when that cannot be learnt."""
        target = read_target(url)
        site = f"{target.scheme}://{target.authority}"
        if not self._rules_of(tenant, site, deadline).allows(target.path):
            raise PageRefusedError(
                UrlReason.DISALLOWED_BY_ROBOTS, "The site's robots.txt does not let robots fetch this address."
            )

    def _rules_of(self, tenant: AdmittedTenant, site: str, deadline: Deadline) -> RobotsRules:
        rules = self._memory.recall(tenant, site)
        if rules is None:
            rules = self._ask_for_rules(site, deadline)
            self._memory.remember(tenant, site, rules)
        return rules

    def _ask_for_rules(self, site: str, deadline: Deadline) -> RobotsRules:
        try:
            answer = self._robots.get(f"{site}/robots.txt", self._headers, deadline)
        except TooManyRedirectsError:
            return RobotsRules()  # RFC 9309 §2.3.1.2: as if there were none
        except AnswerTooLargeError as error:
            raise FetchFailedError("its robots.txt is too large") from error
        if 200 <= answer.status < 300:
            return RobotsRules.read(answer.body, ROBOT)
        if 400 <= answer.status < 500 and answer.status not in _PASSING:
            return RobotsRules()
        raise FetchFailedError(f"its robots.txt answers with status {answer.status}")


def _content_of(answer: Answer) -> bytes:
    if 200 <= answer.status < 300:
        return answer.body
    said = f"The server answers with status {answer.status}."
    if answer.status in _PASSING or answer.status >= 500:
        raise PageUnavailableError(said)
    raise PageRefusedError(UrlReason.NOT_FOUND if answer.status in _GONE else UrlReason.REFUSED, said)


def _user_agent(contact: str) -> str:
    return f"{ROBOT} (+{contact})" if contact else ROBOT
