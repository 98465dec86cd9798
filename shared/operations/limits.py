"""Limits in the entry layer: which ones a request is counted against follows from its operation's declaration (T4).

No operation knows of them. The headers are those of draft-ietf-httpapi-ratelimit-headers-06 (decision 0015).
"""

import math
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import Final

from starlette.requests import Request

from shared.identity.caller import Caller
from shared.kernel.ids import TenantId
from shared.limits.admission import Demand, Settlement, Standing
from shared.limits.errors import LimitsUnavailableError
from shared.limits.limiter import Decision, Limiter
from shared.limits.quotas import TOKENS, api_calls, tokens, vector_operations
from shared.limits.rules import SECOND_US, Bucket, Window, per_minute
from shared.limits.spending import metered
from shared.operations.capabilities import EMBEDDER, VECTORS
from shared.operations.declaration import HttpTrigger, Operation, RateClass

DEGRADED_HEADER: Final = "x-tessera-degraded"

UNANNOUNCED_TOKENS: Final = 4_096
"""What is reserved for a body that does not say how long it is."""

NEIGHBOURS_BITS: Final = 64
"""An IPv6 customer commands at least so many bits' worth of addresses, so they count as one."""


@dataclass(frozen=True, slots=True)
class ClassLimit:
    """Requests a minute of one rate class. `per_minute` None means the plan's figure for writes.

    `locally` is what each process lets through per tenant while limits cannot be counted together; None is nothing.
    """

    per_minute: int | None
    locally: int | None = None


CLASS_LIMITS: Final[Mapping[RateClass, ClassLimit]] = {
    RateClass.READ: ClassLimit(600, locally=60),
    RateClass.ANSWER: ClassLimit(60, locally=12),
    RateClass.WRITE: ClassLimit(None),
    # Guessing must not get easier while nobody can count the guesses.
    RateClass.SIGN_IN: ClassLimit(20),
}

LimiterOf = Callable[[Operation], Limiter]
"""Return the limiter of one operation."""


class OperationLimits:
    """The limits of one operation's requests."""

    def __init__(self, operation: Operation, trigger: HttpTrigger, limiter_of: LimiterOf) -> None:
        self._operation = operation
        self._class = trigger.rate_class
        self._limiter_of = limiter_of
        self._searches = VECTORS.search in operation.uses
        self._spends_tokens = EMBEDDER in operation.uses

    async def count(self, request: Request, caller: Caller | None) -> "CountedRequest":
        """Count a request of `caller`, or of an address when there is none. It is refused later, by `check`."""
        if self._class is RateClass.NONE:
            return UNCOUNTED
        limiter = self._limiter_of(self._operation)
        if caller is None:
            tenant, subject = TenantId(f"@{source_of(request)}"), ""
        else:
            tenant, subject = caller.tenant, self._counted_for(caller)
        demands = [Demand(self._bucket(caller), subject)]
        if caller is not None:
            demands += self._quotas(request, caller)
        decision = await limiter.admit(tenant, demands, self._local_bucket())
        return CountedRequest(limiter, tenant, decision)

    def _counted_for(self, caller: Caller) -> str:
        # The plan's figure of writes is a person's: whoever makes ten keys does not write ten times as much.
        return caller.user if self._class is RateClass.WRITE else caller.principal

    def _bucket(self, caller: Caller | None) -> Bucket:
        figure = CLASS_LIMITS[self._class].per_minute
        if figure is None:
            figure = caller.figures.writes_per_minute_per_user if caller is not None else 0
        return per_minute(self._class.value, figure)

    def _local_bucket(self) -> Bucket | None:
        figure = CLASS_LIMITS[self._class].locally
        return None if figure is None else per_minute(f"{self._class.value} (local)", figure)

    def _quotas(self, request: Request, caller: Caller) -> list[Demand]:
        demands = [Demand(api_calls(caller.figures))]
        if self._searches:
            demands.append(Demand(vector_operations(caller.figures)))
        if self._spends_tokens:
            demands.append(Demand(tokens(caller.figures), cost=_most_tokens(request)))
        return demands


@dataclass(frozen=True, slots=True)
class CountedRequest:
    """A request that was counted, admitted or not; without a limiter it is one that nothing counts."""

    limiter: Limiter | None
    tenant: TenantId
    decision: Decision

    @property
    def headers(self) -> dict[str, str]:
        """The fields of every answer to this request, whatever becomes of it."""
        headers = _fields(self.decision)
        if self.decision.is_degraded or isinstance(self.decision.error, LimitsUnavailableError):
            headers[DEGRADED_HEADER] = "limits"
        return headers

    def check(self) -> None:
        """Raises: the refusal, if there is one."""
        if self.decision.error is not None:
            raise self.decision.error

    @asynccontextmanager
    async def settled(self) -> AsyncIterator[None]:
        """Do all that follows in this block, whatever comes of it, and settle at its end what was reserved.

        A request that dies has spent all that it reserved.
        """
        with metered() as spending:
            try:
                yield
            finally:
                await self._settle(spending.tokens)

    async def _settle(self, spent_tokens: int) -> None:
        # A request that was refused took nothing, so there is nothing to give back.
        if self.limiter is None or self.decision.is_degraded or self.decision.error is not None:
            return
        await self.limiter.settle(
            self.tenant,
            [
                Settlement(limit, standing.demand.subject, standing.window, spent_tokens - standing.demand.cost)
                for standing in self.decision.standings
                if isinstance(limit := standing.demand.limit, Window) and limit.name == TOKENS
                if standing.window is not None
            ],
        )


UNCOUNTED: Final = CountedRequest(None, TenantId(""), Decision())
"""A request that no limit counts."""


def address_of(request: Request) -> str:
    """Return the address that a request comes from: as API Gateway saw it, else the peer's."""
    event = request.scope.get("aws.event") or {}
    source = event.get("requestContext", {}).get("http", {}).get("sourceIp")
    return str(source or (request.client.host if request.client else "unknown"))


def source_of(request: Request) -> str:
    """Return whom to count a request for that nobody is known to send: its address; of IPv6 the network."""
    text = address_of(request)
    try:
        address = ip_address(text)
    except ValueError:
        return text
    if isinstance(address, IPv6Address):
        return str(address.ipv4_mapped or IPv6Network((address, NEIGHBOURS_BITS), strict=False))
    return text


def _most_tokens(request: Request) -> int:
    """Return as many tokens as the body can hold at most: each is a byte or more of it."""
    length = request.headers.get("content-length", "")
    return int(length) if length.isdecimal() else UNANNOUNCED_TOKENS


def _fields(decision: Decision) -> dict[str, str]:
    shown = _closest(decision)
    if shown is None:
        return {}
    return {
        "ratelimit-limit": str(shown.allowed),
        "ratelimit-remaining": str(shown.remaining),
        "ratelimit-reset": str(math.ceil((shown.wait_us or shown.reset_us) / SECOND_US)),
        "ratelimit-policy": ", ".join(_policy(standing) for standing in decision.standings),
    }


def _closest(decision: Decision) -> Standing | None:
    """Return the limit that refuses, or else the one that has least left."""
    return min(decision.standings, key=lambda found: (-found.wait_us, found.remaining, -found.reset_us), default=None)


def _policy(standing: Standing) -> str:
    limit = standing.demand.limit
    return f'{limit.limit};w={limit.period_s};comment="{limit.name}"'
