"""What of one function deals with the web: addresses that users name, and fetching from them."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from shared.composition.adapters import Adapters
from shared.composition.settings import Settings
from shared.kernel.clock import Clock
from shared.operations.capabilities import FETCH_POLICY, INTERNET
from shared.operations.grants import Grants

if TYPE_CHECKING:
    from shared.adapters.http.web_addresses import WebAddresses
    from shared.adapters.http.web_pages import GuardedWebPages
    from shared.knowledge.fetching import Fetching
    from shared.knowledge.policy import IngestionPolicy
    from shared.knowledge.url_sources import UrlSources

FETCH_TIMEOUT_S: Final = 60.0
"""For robots.txt, redirects and the page together."""


@dataclass(frozen=True)
class Web:
    """Documents that come from the web."""

    adapters: Adapters
    settings: Settings
    grants: Grants
    clock: Clock
    policy: "IngestionPolicy"

    @cached_property
    def url_sources(self) -> "UrlSources":
        from shared.adapters.http.web_pages import WebUrlPolicy
        from shared.knowledge.url_sources import UrlSources

        urls = WebUrlPolicy(self._addresses)
        return UrlSources(self.adapters.records, self.adapters.work_queue, urls, self.clock, self.policy)

    @cached_property
    def fetching(self) -> "Fetching":
        from shared.knowledge.fetching import Fetching

        return Fetching(self.adapters.records, self.adapters.objects, self._pages, self.clock, self.policy)

    @cached_property
    def _pages(self) -> "GuardedWebPages":
        """It remembers what sites say to robots between invocations."""
        from shared.adapters.http.guarded_fetcher import GuardedFetcher
        from shared.adapters.http.web_pages import GuardedWebPages

        self.grants.require(INTERNET)
        addresses = self._addresses
        fetcher = GuardedFetcher(addresses.destinations, timeout_s=FETCH_TIMEOUT_S, admit=addresses.admit)
        return GuardedWebPages(fetcher, self.settings.fetch_policy.contact)

    @cached_property
    def _addresses(self) -> "WebAddresses":
        from shared.adapters.http.web_addresses import WebAddresses

        self.grants.require(FETCH_POLICY)
        said = self.settings.fetch_policy
        return WebAddresses(said.allowed_hosts, said.denied_hosts, said.takes_plain_http, said.reaches_loopback)
