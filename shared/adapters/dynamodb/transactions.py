"""Every write of records: one transaction with the event that tells of it; tried again while others write the same.

Whoever acts is ambient (`shared.audit.acts`), so an adapter says only whose log it is and what was changed. What needs
no event is written by `keep`, or as one of the items that `bookkeeping` lists (decision 0024).
"""

import asyncio
import random
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from shared.adapters.dynamodb.audit_keys import pending_item
from shared.adapters.dynamodb.bookkeeping import progressing
from shared.audit.acts import Act, NoTenantError, current_act
from shared.kernel.clock import Clock, SystemClock
from shared.kernel.ids import TenantId

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

MOST_ACTIONS: Final = 100
"""As many as DynamoDB takes at once, events included."""

_REFUSED: Final = "ConditionalCheckFailed"
_PASSING: Final = frozenset({"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"})
_TRIES: Final = 8
_PAUSE_S: Final = 0.02

Refused = dict[int, dict[str, Any]]
"""The refused actions by index, each with the item that it met if it asked for that; empty when all were done."""


class CollisionError(Exception):
    """Others kept writing the same items, so nothing was written."""


class Transactions:
    """Several writes as one, each under its own condition, together with their events."""

    def __init__(
        self,
        client: "DynamoDBClient",
        audit_table: Callable[[], str],
        clock: Clock | None = None,
        act_of: Callable[[], Act] = current_act,
    ) -> None:
        """`audit_table` is asked for when something is written: functions that only read know no such table."""
        self.client = client
        self._audit_table = audit_table
        self._clock = clock or SystemClock()
        self._act_of = act_of

    async def write(
        self, tenant: TenantId, resources: Sequence[str], actions: Sequence[Any], actor: str | None = None
    ) -> Refused:
        """Do all of `actions` (items of a transaction), or none when a condition does not hold.

        What is done leaves one event per resource in the log of `tenant`; what is refused leaves none. `actor` is who
        an act of nobody in particular turned out to be.
        Raises: CollisionError; NoActError; ValueError for too many actions; TransactionCanceledException for any reason
        but a condition.
        """
        if len(actions) + len(resources) > MOST_ACTIONS:
            raise ValueError(f"A transaction takes {MOST_ACTIONS} actions, events included.")
        act = self._act_of()
        refused = await self._transact([*actions, *self._told(act, tenant, resources, actor)])
        if any(index >= len(actions) for index in refused):
            # An event has an id of its own, so one that is there already was written with these very actions: the
            # answer to a try before this one was lost.
            refused = {}
        act.writes += not refused
        return refused

    def _told(self, act: Act, tenant: TenantId, resources: Sequence[str], actor: str | None) -> list[Any]:
        table, now = self._audit_table(), self._clock.now()
        return [
            {
                "Put": {
                    "TableName": table,
                    "Item": pending_item(act.done(tenant, resource, now, actor)),
                    "ConditionExpression": "attribute_not_exists(pk)",
                }
            }
            for resource in resources
        ]

    async def write_all(self, tenant: TenantId, resource: str, *actions: Any, actor: str | None = None) -> bool:
        """Do all of `actions`; answer False, and do none, when a condition does not hold. Raises: as `write`."""
        return not await self.write(tenant, [resource], actions, actor)

    async def write_own(self, resource: str, *actions: Any) -> bool:
        """Do what belongs to no tenant, such as a password: told in the log of whoever acts.

        Raises: NoTenantError; as `write`.
        """
        tenant = self._act_of().tenant
        if tenant is None:
            raise NoTenantError(f"{resource} is changed by nobody that is recognised.")
        return await self.write_all(tenant, resource, *actions)

    async def keep(self, actions: Sequence[Any]) -> Refused:
        """Do all of `actions`, or none, without an event: work moves on by itself, and nobody acts.

        One put needs no transaction, which costs twice as much; it counts as refused while a transaction changes its
        item. Raises: CollisionError; TransactionCanceledException for any reason but a condition.
        """
        with progressing():
            if len(actions) == 1 and "Put" in actions[0]:
                return await self._put(actions[0]["Put"])
            return await self._transact(actions)

    async def _put(self, put: dict[str, Any]) -> Refused:
        try:
            await asyncio.to_thread(self.client.put_item, **put)
        except (
            self.client.exceptions.ConditionalCheckFailedException,
            self.client.exceptions.TransactionConflictException,
        ):
            return {0: {}}
        return {}

    async def _transact(self, actions: Sequence[Any]) -> Refused:
        for _ in range(_TRIES):
            try:
                await asyncio.to_thread(self.client.transact_write_items, TransactItems=actions)
            except self.client.exceptions.TransactionCanceledException as error:
                reasons: list[Any] = list(error.response.get("CancellationReasons", []))
                codes = [reason.get("Code") for reason in reasons]
                if _REFUSED in codes:
                    return {
                        index: reasons[index].get("Item", {}) for index, code in enumerate(codes) if code == _REFUSED
                    }
                if _PASSING.isdisjoint(codes):
                    raise
                # Two transactions met on one item; neither is stale yet, so the same one may still go through.
                await asyncio.sleep(_PAUSE_S * (1 + random.random()))  # noqa: S311
            else:
                return {}
        raise CollisionError
