"""Limits in DynamoDB, where no Redis is configured: one read, then one conditional write of all or nothing (T4).

The conditions are arithmetic, not "unchanged since I read it": requests that all fit do not get into each other's way.
A refused request writes nothing.
"""

import asyncio
import logging
import random
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from shared.adapters.dynamodb.limits_clock import LimitsClock
from shared.adapters.dynamodb.limits_keys import Key, bucket_key, keys_of, window_key
from shared.kernel.clock import Clock
from shared.kernel.ids import TenantId
from shared.limits.admission import Admission, Demand, Settlement, State, judge
from shared.limits.errors import LimitsCrowdedError, LimitsUnavailableError
from shared.limits.rules import SECOND_US, Bucket, Counts, Window

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

PATIENCE_S: Final = 2.0
"""How long a request tries again after others came between its read and its write."""

_FIRST_PAUSE_S: Final = 0.004
_LONGEST_PAUSE_S: Final = 0.1
_KEPT_AFTER_USE_S: Final = 3600
_THROTTLED: Final = frozenset({"ProvisionedThroughputExceededException", "ThrottlingException"})
_PASSING: Final = _THROTTLED | frozenset(
    {
        "ConditionalCheckFailedException",
        "TransactionCanceledException",
        "TransactionConflictException",
        "TransactionInProgressException",
    }
)
_MICROSECONDS_PER_NANOSECOND: Final = 1000

_log = logging.getLogger("tessera.limits")


class DynamoLimitStore:
    """Implements `LimitStore`.

    The time is `LimitsClock`'s: a second and a round trip wrong at most. A bucket's moment only moves forward, so a
    clock that is late gains nothing, and one that is early by d gains what flows back in d, once and not per request.
    """

    def __init__(self, client: "DynamoDBClient", table: str, clock: Clock) -> None:
        self._client = client
        self._table = table
        self._time = LimitsClock(clock, lambda: time.monotonic_ns() // _MICROSECONDS_PER_NANOSECOND)

    async def admit(self, tenant: TenantId, demands: Sequence[Demand]) -> Admission:
        if not demands:
            return Admission(is_admitted=True, standings=())
        return await asyncio.to_thread(self._admit, tenant, demands)

    async def settle(self, tenant: TenantId, settlements: Sequence[Settlement]) -> None:
        if settlements:
            await asyncio.to_thread(self._settle, tenant, settlements)

    def _admit(self, tenant: TenantId, demands: Sequence[Demand]) -> Admission:
        deadline = time.monotonic() + PATIENCE_S
        pause_s = _FIRST_PAUSE_S
        is_throttled = False
        while time.monotonic() < deadline:
            try:
                return self._try(tenant, demands)
            except ClientError as error:
                if error.response["Error"]["Code"] not in _PASSING:
                    raise _unavailable(error) from error
                is_throttled = error.response["Error"]["Code"] in _THROTTLED
            except BotoCoreError as error:
                raise _unavailable(error) from error
            time.sleep(random.uniform(0, pause_s))  # noqa: S311 (scatters retries, guards nothing)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
        _log.warning("limits are written by too many at once", extra={"tenant": tenant})
        raise LimitsUnavailableError if is_throttled else LimitsCrowdedError

    def _try(self, tenant: TenantId, demands: Sequence[Demand]) -> Admission:
        """Read, decide, write. Raises: ClientError, also when somebody came between read and write."""
        now_us, items = self._read(tenant, demands)
        states = [_state_of(tenant, demand, items, now_us) for demand in demands]
        admission, _ = judge(demands, states, now_us)
        updates = [
            self._update(tenant, demand, state, now_us)
            for demand, state in zip(demands, states, strict=True)
            if demand.cost > 0
        ]
        if admission.is_admitted and len(updates) == 1:
            self._client.update_item(**updates[0])
        elif admission.is_admitted and updates:
            self._client.transact_write_items(TransactItems=[{"Update": update} for update in updates])
        return admission

    def _read(self, tenant: TenantId, demands: Sequence[Demand]) -> tuple[int, dict[tuple[str, str], dict[str, Any]]]:
        """Return the time, and what stands in the table of the limits at that time, by key."""
        asked_for: list[Key] = []
        while True:
            asked_at_us = self._time.now_us()
            keys = [key for demand in demands for key in keys_of(tenant, demand.limit, demand.subject, asked_at_us)]
            if keys == asked_for:
                break
            asked_for = keys
            answer = self._client.batch_get_item(RequestItems={self._table: {"Keys": keys, "ConsistentRead": True}})
            self._time.learn(answer, asked_at_us)
        if answer["UnprocessedKeys"]:
            raise ClientError({"Error": {"Code": "ThrottlingException"}}, "BatchGetItem")
        found = answer["Responses"].get(self._table, [])
        return asked_at_us, {(item["pk"]["S"], item["sk"]["S"]): dict(item) for item in found}

    def _update(self, tenant: TenantId, demand: Demand, state: State, now_us: int) -> Any:
        match demand.limit, state:
            case Bucket() as bucket, int() as full_at_us:
                return self._bucket_update(tenant, demand, bucket, full_at_us, now_us)
            case Window() as window, Counts() as counts:
                return self._window_update(tenant, demand, window, counts, now_us)
        raise TypeError("What is known of a limit does not fit its kind.")

    def _bucket_update(self, tenant: TenantId, demand: Demand, bucket: Bucket, full_at_us: int, now_us: int) -> Any:
        after_us = bucket.taken(full_at_us, demand.cost, now_us)
        expires_at = after_us // SECOND_US + _KEPT_AFTER_USE_S
        common = {"TableName": self._table, "Key": bucket_key(tenant, bucket.name, demand.subject)}
        if full_at_us > now_us:
            room_us = now_us + (bucket.capacity - demand.cost) * bucket.interval_us
            return {
                **common,
                "UpdateExpression": "SET full_at = full_at + :taken, expires_at = :expires_at",
                "ConditionExpression": "full_at BETWEEN :now AND :room",
                "ExpressionAttributeValues": _numbers(
                    taken=demand.cost * bucket.interval_us, now=now_us, room=room_us, expires_at=expires_at
                ),
            }
        return {
            **common,
            "UpdateExpression": "SET full_at = :after, expires_at = :expires_at",
            "ConditionExpression": "attribute_not_exists(full_at) OR full_at <= :now",
            "ExpressionAttributeValues": _numbers(after=after_us, now=now_us, expires_at=expires_at),
        }

    def _window_update(self, tenant: TenantId, demand: Demand, window: Window, counts: Counts, now_us: int) -> Any:
        return {
            "TableName": self._table,
            "Key": window_key(tenant, window.name, demand.subject, counts.number),
            "UpdateExpression": "SET expires_at = :expires_at ADD used :cost",
            "ConditionExpression": "attribute_not_exists(used) OR used <= :room",
            "ExpressionAttributeValues": _numbers(
                cost=demand.cost,
                room=window.allowed(counts, now_us) - demand.cost,
                expires_at=(counts.number + 2) * window.period_s + _KEPT_AFTER_USE_S,
            ),
        }

    def _settle(self, tenant: TenantId, settlements: Sequence[Settlement]) -> None:
        for settled in settlements:
            try:
                self._client.update_item(
                    TableName=self._table,
                    Key=window_key(tenant, settled.window.name, settled.subject, settled.number),
                    UpdateExpression="ADD used :change",
                    # A window that was cleared away would come back with this change as all its use.
                    ConditionExpression="attribute_exists(used)",
                    ExpressionAttributeValues=_numbers(change=settled.change),
                )
            except self._client.exceptions.ConditionalCheckFailedException:
                continue
            except (ClientError, BotoCoreError) as error:
                raise _unavailable(error) from error


def _state_of(tenant: TenantId, demand: Demand, items: dict[tuple[str, str], dict[str, Any]], now_us: int) -> State:
    found = [
        items.get((key["pk"]["S"], key["sk"]["S"]), {}) for key in keys_of(tenant, demand.limit, demand.subject, now_us)
    ]
    if isinstance(demand.limit, Bucket):
        return _number(found[0], "full_at")
    return Counts(demand.limit.number_at(now_us), _number(found[0], "used"), _number(found[1], "used"))


def _number(item: dict[str, Any], name: str) -> int:
    return int(item[name]["N"]) if name in item else 0


def _numbers(**values: int) -> dict[str, dict[str, str]]:
    return {f":{name}": {"N": str(value)} for name, value in values.items()}


def _unavailable(error: Exception) -> LimitsUnavailableError:
    _log.warning("limits out of reach", exc_info=error)
    return LimitsUnavailableError()
