"""Admits requests: counted together with all other processes, or else as far as that is safe (T4)."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from shared.kernel.ids import TenantId
from shared.limits.admission import Admission, Demand, Settlement, Standing
from shared.limits.allowance import LocalAllowance
from shared.limits.breaker import Breaker
from shared.limits.errors import LimitsCrowdedError, LimitsUnavailableError, QuotaExhaustedError, RateLimitedError
from shared.limits.ports import LimitStore
from shared.limits.quotas import quotas_of
from shared.limits.rules import SECOND_US, Bucket, Window
from shared.telemetry.ports import Telemetry
from shared.tenancy.plans import Figures

DEGRADED: Final = "limits_degraded"
"""Counted for every request that was let through without being counted with the others."""

REFUSED: Final = "limits_refused"
CROWDED: Final = "limits_crowded"
"""Counted for every request that was refused because others of its tenant were in its way."""

UNAVAILABLE: Final = "limits_unavailable"
NOT_SETTLED: Final = "limits_not_settled"


@dataclass(frozen=True, slots=True)
class Decision:
    """What became of a request. `error` is why it is refused; `is_degraded` says that only this process counted it."""

    standings: tuple[Standing, ...] = ()
    error: RateLimitedError | QuotaExhaustedError | LimitsUnavailableError | None = None
    is_degraded: bool = False


class Limiter:
    """The limits of one function.

    A store that does not answer is not replaced by another one: requests that have a local allowance go on within it,
    the others are refused. Who is not asked again at once is said by a breaker, so a dead store costs little time.
    """

    def __init__(
        self, store: LimitStore, telemetry: Telemetry, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._store = store
        self._telemetry = telemetry
        self._monotonic = monotonic
        self._breaker = Breaker()
        self._allowance = LocalAllowance()

    async def admit(self, tenant: TenantId, demands: Sequence[Demand], local: Bucket | None) -> Decision:
        """Count a request against `demands`, or against `local` in this process when the store does not answer."""
        try:
            admission = await self._ask(tenant, demands)
        except LimitsUnavailableError as error:
            return self._without_store(tenant, local, error)
        except LimitsCrowdedError:
            # Whoever sends that many at once must not read uncounted by it.
            self._telemetry.count(CROWDED)
            return Decision(error=LimitsUnavailableError())
        return self._decision(admission)

    async def settle(self, tenant: TenantId, settlements: Sequence[Settlement]) -> None:
        """Correct reservations; one that cannot be corrected now stays used."""
        due = [settled for settled in settlements if settled.change]
        if not due or not self._breaker.allows(self._monotonic()):
            return
        try:
            await self._store.settle(tenant, due)
        except LimitsUnavailableError:
            self._breaker.fail(self._monotonic())
            self._telemetry.count(NOT_SETTLED)

    async def usage(self, tenant: TenantId, figures: Figures) -> tuple[Standing, ...]:
        """Return how the tenant's quotas over time stand. Raises: LimitsUnavailableError."""
        try:
            admission = await self._ask(tenant, [Demand(quota, cost=0) for quota in quotas_of(figures)])
        except LimitsCrowdedError as error:
            raise LimitsUnavailableError from error
        return admission.standings

    async def _ask(self, tenant: TenantId, demands: Sequence[Demand]) -> Admission:
        now_s = self._monotonic()
        if not self._breaker.allows(now_s):
            raise LimitsUnavailableError(self._breaker.wait_s(now_s))
        try:
            admission = await self._store.admit(tenant, demands)
        except LimitsUnavailableError as error:
            now_s = self._monotonic()
            self._breaker.fail(now_s)
            raise LimitsUnavailableError(self._breaker.wait_s(now_s)) from error
        except LimitsCrowdedError:
            # It answers, and other tenants are not to wait for what this one does.
            self._breaker.succeed()
            raise
        self._breaker.succeed()
        return admission

    def _without_store(self, tenant: TenantId, local: Bucket | None, error: LimitsUnavailableError) -> Decision:
        self._telemetry.count(UNAVAILABLE)
        if local is None:
            return Decision(error=error)
        admission = self._allowance.admit(tenant, local, int(self._monotonic() * SECOND_US))
        if not admission.is_admitted:
            return Decision(admission.standings, error)
        self._telemetry.count(DEGRADED)
        return Decision(admission.standings, is_degraded=True)

    def _decision(self, admission: Admission) -> Decision:
        refusal = admission.refusal
        if refusal is None:
            return Decision(admission.standings)
        self._telemetry.count(REFUSED)
        limit, wait_s = refusal.demand.limit, refusal.wait_us / SECOND_US
        kind = QuotaExhaustedError if isinstance(limit, Window) else RateLimitedError
        return Decision(admission.standings, kind(limit.name, refusal.allowed, wait_s))
