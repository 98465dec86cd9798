"""Limits in Redis: one script on the server's time per call, so one round trip (T4)."""

from collections.abc import Collection, Sequence

from shared.adapters.redis import scripts
from shared.adapters.redis.client import Connection
from shared.adapters.redis.keys import KeySpace, limit_key
from shared.kernel.ids import TenantId
from shared.limits.admission import Admission, Demand, Settlement, State, described
from shared.limits.rules import Bucket, Counts


class RedisLimitStore:
    """Implements `LimitStore`."""

    def __init__(self, connection: Connection, names_of_nobody: Collection[str] = ()) -> None:
        """`names_of_nobody` are patterns of names that no tenant has, whose limits the function may count as well."""
        self._connection = connection
        self._keys = KeySpace(names_of_nobody)

    async def admit(self, tenant: TenantId, demands: Sequence[Demand]) -> Admission:
        prefix = self._keys.prefix(tenant)
        if not demands:
            return Admission(is_admitted=True, standings=())
        keys = [limit_key(prefix, demand.limit, demand.subject) for demand in demands]
        arguments = [argument for demand in demands for argument in arguments_of(demand)]
        fits, now_us, *known = self._connection.run(scripts.ADMIT, keys, arguments)
        return described(demands, [_state(found) for found in known], now_us, is_admitted=fits == 1)

    async def settle(self, tenant: TenantId, settlements: Sequence[Settlement]) -> None:
        prefix = self._keys.prefix(tenant)
        if not settlements:
            return
        keys = [limit_key(prefix, settled.window, settled.subject) for settled in settlements]
        arguments = [argument for settled in settlements for argument in (settled.number, settled.change)]
        self._connection.run(scripts.SETTLE, keys, arguments)


def arguments_of(demand: Demand) -> tuple[str | int, ...]:
    """Return what the script `ADMIT` is told of one demand."""
    limit = demand.limit
    if isinstance(limit, Bucket):
        return ("b", demand.cost, limit.interval_us, limit.capacity * limit.interval_us, "", "")
    return ("w", demand.cost, limit.period_us, limit.limit, limit.burst_limit, limit.quiet_below)


def _state(found: int | list[int]) -> State:
    return found if isinstance(found, int) else Counts(*found)
