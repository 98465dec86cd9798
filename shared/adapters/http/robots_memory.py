"""What sites said to robots, remembered for a while and for each tenant alone.

Were it shared, whoever has a site could tell from its own requests that somebody else fetched there, and would be
allowed or refused by rules that the site does not have any more.
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from shared.adapters.http.robots_rules import RobotsRules
from shared.kernel.tenants import AdmittedTenant

FRESH_FOR_S: Final = 3600
REMEMBERED_SITES: Final = 32
"""Of each tenant; so many more push out none of another's."""

REMEMBERED_TENANTS: Final = 256

_Sites = OrderedDict[str, tuple[float, RobotsRules]]


class RobotsMemory:
    """Rules by tenant and site, for `FRESH_FOR_S` seconds; of too many, those not asked for longest are forgotten."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._tenants: OrderedDict[AdmittedTenant, _Sites] = OrderedDict()

    def recall(self, tenant: AdmittedTenant, site: str) -> RobotsRules | None:
        """Return what `site` said to this tenant; None when it was not asked, or too long ago."""
        known = self._sites(tenant).get(site)
        if known is None or self._monotonic() - known[0] >= FRESH_FOR_S:
            return None
        self._sites(tenant).move_to_end(site)
        return known[1]

    def remember(self, tenant: AdmittedTenant, site: str, rules: RobotsRules) -> None:
        sites = self._sites(tenant)
        sites[site] = (self._monotonic(), rules)
        sites.move_to_end(site)
        if len(sites) > REMEMBERED_SITES:
            sites.popitem(last=False)

    def _sites(self, tenant: AdmittedTenant) -> _Sites:
        sites = self._tenants.setdefault(tenant, OrderedDict())
        self._tenants.move_to_end(tenant)
        if len(self._tenants) > REMEMBERED_TENANTS:
            self._tenants.popitem(last=False)
        return sites
