"""Leases in DynamoDB: every place is an item, taken by a conditional write (T1, T4)."""

import asyncio
import logging
import random
import time
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from shared.adapters.dynamodb.limits_clock import LimitsClock
from shared.adapters.dynamodb.limits_keys import SLOT_PREFIX, lease_partition, slot_key
from shared.kernel.clock import Clock
from shared.kernel.ids import TenantId
from shared.limits.errors import LimitsUnavailableError
from shared.limits.rules import SECOND_US

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_KEPT_AFTER_USE_S: Final = 3600
_MICROSECONDS_PER_NANOSECOND: Final = 1000

_log = logging.getLogger("tessera.limits")


class DynamoLeases:
    """Implements `Leases`. Who is refused has only read, so the many that wait for a place cost little."""

    def __init__(self, client: "DynamoDBClient", table: str, clock: Clock) -> None:
        self._client = client
        self._table = table
        self._time = LimitsClock(clock, lambda: time.monotonic_ns() // _MICROSECONDS_PER_NANOSECOND)

    async def acquire(self, tenant: TenantId, name: str, holder: str, limit: int, ttl_s: float) -> bool:
        return await asyncio.to_thread(self._acquire, tenant, name, holder, limit, int(ttl_s * SECOND_US))

    async def release(self, tenant: TenantId, name: str, holder: str) -> None:
        await asyncio.to_thread(self._release, tenant, name, holder)

    def _acquire(self, tenant: TenantId, name: str, holder: str, limit: int, ttl_us: int) -> bool:
        lost: set[int] = set()
        while True:
            occupied = self._occupied(tenant, name)
            now_us = self._time.now_us()
            taken = {slot: by for slot, (by, until_us) in occupied.items() if until_us > now_us}
            own = [slot for slot, by in taken.items() if by == holder]
            free = sorted(set(range(limit)) - taken.keys() - lost)
            if not own and (len(taken) >= limit or not free):
                return False
            slot = own[0] if own else random.choice(free)  # noqa: S311 (scatters those who ask at once)
            if self._take(tenant, name, slot, holder, now_us, ttl_us):
                return True
            # Whoever was faster has it for a while: every place is tried once, so this ends.
            lost.add(slot)

    def _occupied(self, tenant: TenantId, name: str) -> dict[int, tuple[str, int]]:
        asked_at_us = self._time.now_us()
        try:
            pages = self._client.get_paginator("query").paginate(
                TableName=self._table,
                KeyConditionExpression="pk = :pk AND begins_with(sk, :slot)",
                ExpressionAttributeValues={
                    ":pk": {"S": lease_partition(tenant, name)},
                    ":slot": {"S": SLOT_PREFIX},
                },
                ConsistentRead=True,
            )
            occupied: dict[int, tuple[str, int]] = {}
            for page in pages:
                self._time.learn(page, asked_at_us)
                for item in page["Items"]:
                    slot = int(item["sk"]["S"].removeprefix(SLOT_PREFIX))
                    occupied[slot] = (item["holder"]["S"], int(item["until"]["N"]))
        except (ClientError, BotoCoreError) as error:
            raise _unavailable(error) from error
        return occupied

    def _take(self, tenant: TenantId, name: str, slot: int, holder: str, now_us: int, ttl_us: int) -> bool:
        until_us = now_us + ttl_us
        try:
            self._client.update_item(
                TableName=self._table,
                Key=slot_key(tenant, name, slot),
                UpdateExpression="SET holder = :holder, #until = :until, expires_at = :expires_at",
                ConditionExpression="attribute_not_exists(holder) OR holder = :holder OR #until <= :now",
                ExpressionAttributeNames={"#until": "until"},
                ExpressionAttributeValues={
                    ":holder": {"S": holder},
                    ":until": {"N": str(until_us)},
                    ":now": {"N": str(now_us)},
                    ":expires_at": {"N": str(until_us // SECOND_US + _KEPT_AFTER_USE_S)},
                },
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        except (ClientError, BotoCoreError) as error:
            raise _unavailable(error) from error
        return True

    def _release(self, tenant: TenantId, name: str, holder: str) -> None:
        for slot, (by, _) in self._occupied(tenant, name).items():
            if by != holder:
                continue
            try:
                self._client.delete_item(
                    TableName=self._table,
                    Key=slot_key(tenant, name, slot),
                    ConditionExpression="holder = :holder",
                    ExpressionAttributeValues={":holder": {"S": holder}},
                )
            except self._client.exceptions.ConditionalCheckFailedException:
                continue
            except (ClientError, BotoCoreError) as error:
                raise _unavailable(error) from error


def _unavailable(error: Any) -> LimitsUnavailableError:
    _log.warning("leases out of reach", exc_info=error)
    return LimitsUnavailableError()
