"""Several writes as one, each under its own condition; tried again while others write the same items."""

import asyncio
import random
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_REFUSED: Final = "ConditionalCheckFailed"
_PASSING: Final = frozenset({"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"})
_TRIES: Final = 8
_PAUSE_S: Final = 0.02


class CollisionError(Exception):
    """Others kept writing the same items, so nothing was written."""


async def write_all(client: "DynamoDBClient", *actions: Any) -> bool:
    """Do all of `actions` (items of a transaction); answer False, and do none, when a condition does not hold.

    Raises: as `transact`.
    """
    return not await transact(client, actions)


async def transact(client: "DynamoDBClient", actions: Sequence[Any]) -> dict[int, dict[str, Any]]:
    """Do all of `actions` (items of a transaction), or none when a condition does not hold.

    Returns: nothing when they are done; else the refused actions by index, each with the item that it met if it asked
    for that. Raises: CollisionError; TransactionCanceledException for any other reason.
    """
    for _ in range(_TRIES):
        try:
            await asyncio.to_thread(client.transact_write_items, TransactItems=actions)
        except client.exceptions.TransactionCanceledException as error:
            reasons: list[Any] = list(error.response.get("CancellationReasons", []))
            codes = [reason.get("Code") for reason in reasons]
            if _REFUSED in codes:
                return {index: reasons[index].get("Item", {}) for index, code in enumerate(codes) if code == _REFUSED}
            if _PASSING.isdisjoint(codes):
                raise
            # Two transactions met on one item; neither is stale yet, so the same one may still go through.
            await asyncio.sleep(_PAUSE_S * (1 + random.random()))  # noqa: S311
        else:
            return {}
    raise CollisionError
