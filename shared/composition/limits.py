"""Where limits are counted: in Redis where one is configured, else in DynamoDB; never in both."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from shared.composition.adapters import Adapters
from shared.composition.settings import Settings
from shared.kernel.clock import Clock
from shared.operations.capabilities import CACHE, LIMITS, LIMITS_OF_STRANGERS, STRANGERS
from shared.operations.grants import Grants
from shared.telemetry.ports import Telemetry

if TYPE_CHECKING:
    from shared.adapters.redis.client import Connection
    from shared.limits.limiter import Limiter
    from shared.limits.ports import LimitStore


@dataclass(frozen=True)
class Limits:
    """The limits of one function. The address of the cache decides, once; a cache that fails is not replaced."""

    grants: Grants
    settings: Settings
    adapters: Adapters
    clock: Clock
    telemetry: Telemetry

    @cached_property
    def limiter(self) -> "Limiter":
        from shared.limits.limiter import Limiter

        return Limiter(self._store, self.telemetry)

    @cached_property
    def _store(self) -> "LimitStore":
        if self._cache is not None:
            from shared.adapters.redis.limit_store import RedisLimitStore

            strangers = (STRANGERS,) if LIMITS_OF_STRANGERS.write in self.grants else ()
            return RedisLimitStore(self._cache, strangers)
        from shared.adapters.dynamodb.limit_store import DynamoLimitStore

        return DynamoLimitStore(self.adapters.aws.prompt_dynamodb, self.settings.address_of(LIMITS), self.clock)

    @cached_property
    def _cache(self) -> "Connection | None":
        self.grants.require(CACHE.connect)
        self.grants.require_any(LIMITS.write, LIMITS_OF_STRANGERS.write)
        address = self.settings.cache_address
        if not address:
            return None
        from shared.adapters.redis.client import Connection

        return Connection(address)
