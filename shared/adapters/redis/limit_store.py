"""Limits and leases in Redis: one script on the server's time per call, so one round trip (T4)."""

import logging
from collections.abc import Sequence
from hashlib import sha1
from typing import Any

from redis.exceptions import NoScriptError, RedisError

from shared.adapters.redis import scripts
from shared.adapters.redis.client import Client
from shared.adapters.redis.keys import lease_key, limit_key
from shared.kernel.ids import TenantId
from shared.limits.admission import Admission, Demand, Settlement, State, described
from shared.limits.errors import LimitsUnavailableError
from shared.limits.rules import SECOND_US, Bucket, Counts

_log = logging.getLogger("tessera.limits")


class _Scripts:
    """Runs scripts by their hash, and hands one over when the server does not know it (a new server, a restart)."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._hash_by_script: dict[str, str] = {}

    def run(self, script: str, keys: Sequence[str], arguments: Sequence[str | int]) -> Any:
        """Raises: LimitsUnavailableError."""
        try:
            known = self._hash_by_script.get(script)
            if known is None:
                self._hash_by_script[script] = known = sha1(script.encode(), usedforsecurity=False).hexdigest()
            try:
                return self._client.evalsha(known, len(keys), *keys, *arguments)
            except NoScriptError:
                return self._client.eval(script, len(keys), *keys, *arguments)
        except (RedisError, OSError) as error:
            _log.warning("limits out of reach", exc_info=error)
            raise LimitsUnavailableError from error


class RedisLimitStore:
    """Implements `LimitStore`."""

    def __init__(self, client: Client) -> None:
        self._scripts = _Scripts(client)

    async def admit(self, tenant: TenantId, demands: Sequence[Demand]) -> Admission:
        if not demands:
            return Admission(is_admitted=True, standings=())
        keys = [limit_key(tenant, demand.limit, demand.subject) for demand in demands]
        arguments = [argument for demand in demands for argument in _arguments(demand)]
        fits, now_us, *known = self._scripts.run(scripts.ADMIT, keys, arguments)
        return described(demands, [_state(found) for found in known], now_us, is_admitted=fits == 1)

    async def settle(self, tenant: TenantId, settlements: Sequence[Settlement]) -> None:
        if not settlements:
            return
        keys = [limit_key(tenant, settled.window, settled.subject) for settled in settlements]
        arguments = [argument for settled in settlements for argument in (settled.number, settled.change)]
        self._scripts.run(scripts.SETTLE, keys, arguments)


class RedisLeases:
    """Implements `Leases`."""

    def __init__(self, client: Client) -> None:
        self._scripts = _Scripts(client)

    async def acquire(self, tenant: TenantId, name: str, holder: str, limit: int, ttl_s: float) -> bool:
        arguments = (holder, limit, int(ttl_s * SECOND_US))
        has_place = self._scripts.run(scripts.ACQUIRE, [lease_key(tenant, name)], arguments)
        return bool(has_place)

    async def release(self, tenant: TenantId, name: str, holder: str) -> None:
        self._scripts.run(scripts.RELEASE, [lease_key(tenant, name)], (holder,))


def _arguments(demand: Demand) -> tuple[str | int, ...]:
    limit = demand.limit
    if isinstance(limit, Bucket):
        return ("b", demand.cost, limit.interval_us, limit.capacity * limit.interval_us, "", "")
    return ("w", demand.cost, limit.period_us, limit.limit, limit.burst_limit, limit.quiet_below)


def _state(found: int | list[int]) -> State:
    return found if isinstance(found, int) else Counts(*found)
