"""A store of limits in this process: the rules and nothing else, against which the real stores are held."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from shared.kernel.ids import TenantId
from shared.limits.admission import Admission, Demand, Settlement, State, judge
from shared.limits.errors import LimitsCrowdedError, LimitsUnavailableError
from shared.limits.limiter import Limiter
from shared.limits.rules import SECOND_US, Bucket, Counts, corrected
from shared.operations.limits import LimiterOf
from shared.telemetry.silent import SilentTelemetry

START_US = 1_800_000_000 * SECOND_US


@dataclass
class ManualTime:
    """Microseconds that pass when a test says so."""

    now_us: int = START_US

    def __call__(self) -> int:
        return self.now_us

    def pass_s(self, seconds: float) -> None:
        self.now_us += int(seconds * SECOND_US)


@dataclass
class MemoryLimitStore:
    """Implements `LimitStore`. `is_down` makes it as a store that does not answer.

    Requests of the tenants in `crowded` get in each other's way there.
    """

    now_us: Callable[[], int] = field(default_factory=ManualTime)
    is_down: bool = False
    crowded: frozenset[TenantId] = frozenset()
    asked: int = 0
    _known: dict[tuple[str, str, str], State] = field(default_factory=dict)

    async def admit(self, tenant: TenantId, demands: Sequence[Demand]) -> Admission:
        self._answer()
        if tenant in self.crowded:
            raise LimitsCrowdedError
        keys = [(tenant, demand.limit.name, demand.subject) for demand in demands]
        states = [
            self._known.get(key, 0 if isinstance(demand.limit, Bucket) else Counts())
            for key, demand in zip(keys, demands, strict=True)
        ]
        admission, after = judge(demands, states, self.now_us())
        if admission.is_admitted:
            self._known |= dict(zip(keys, after, strict=True))
        return admission

    async def settle(self, tenant: TenantId, settlements: Sequence[Settlement]) -> None:
        self._answer()
        for settled in settlements:
            key = (tenant, settled.window.name, settled.subject)
            known = self._known.get(key)
            if isinstance(known, Counts):
                self._known[key] = corrected(known, settled.number, settled.change)

    def _answer(self) -> None:
        self.asked += 1
        if self.is_down:
            raise LimitsUnavailableError


def limiters_in_memory() -> LimiterOf:
    """Return what gives every operation one limiter that always answers, at a moment that never passes."""
    limiter = Limiter(MemoryLimitStore(), SilentTelemetry())
    return lambda operation: limiter
