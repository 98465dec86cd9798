"""What sites said to robots, remembered for a while and for each tenant alone.

Were it shared, whoever has a site could tell from its own requests that somebody else fetched there, and would be
allowed or refused by rules that the site does not have any more.
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from shared.adapters.http.robots_rules import RobotsRules
from shared.kernel.tenants import AdmittedTenant

FRESH_FOR_S: Final = 3600
REMEMBERED_BYTES: Final = 131_072
"""Of each tenant; more push out none of another's. Bytes, not sites: a site may say half a megabyte."""

REMEMBERED_TENANTS: Final = 256
_ENTRY_BYTES: Final = 512
"""What remembering a site takes beside its name and its rules."""


@dataclass(frozen=True, slots=True)
class _Told:
    at: float
    rules: RobotsRules
    size_bytes: int


_Sites = OrderedDict[str, _Told]


class RobotsMemory:
    """Rules by tenant and site, for `FRESH_FOR_S` seconds; of too much, those not asked for longest are forgotten."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._tenants: OrderedDict[AdmittedTenant, _Sites] = OrderedDict()

    def recall(self, tenant: AdmittedTenant, site: str) -> RobotsRules | None:
        """Return what `site` said to this tenant; None when it was not asked, or too long ago."""
        known = self._sites(tenant).get(site)
        if known is None or self._monotonic() - known.at >= FRESH_FOR_S:
            return None
        self._sites(tenant).move_to_end(site)
        return known.rules

    def remember(self, tenant: AdmittedTenant, site: str, rules: RobotsRules) -> None:
        sites = self._sites(tenant)
        sites[site] = _Told(self._monotonic(), rules, _ENTRY_BYTES + len(site) + rules.size_bytes)
        sites.move_to_end(site)
        too_much = sum(told.size_bytes for told in sites.values()) - REMEMBERED_BYTES
        while too_much > 0:
            _, forgotten = sites.popitem(last=False)
            too_much -= forgotten.size_bytes

    def _sites(self, tenant: AdmittedTenant) -> _Sites:
        sites = self._tenants.setdefault(tenant, OrderedDict())
        self._tenants.move_to_end(tenant)
        if len(self._tenants) > REMEMBERED_TENANTS:
            self._tenants.popitem(last=False)
        return sites
