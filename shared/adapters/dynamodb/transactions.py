"""Several writes as one, each under its own condition."""

import asyncio
import random
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

_REFUSED: Final = "ConditionalCheckFailed"
_CONFLICT: Final = "TransactionConflict"
_TRIES: Final = 8
_PAUSE_S: Final = 0.02


async def write_all(client: "DynamoDBClient", *actions: "TransactWriteItemTypeDef") -> bool:
    """Do all of `actions` (items of a transaction); answer False, and do none, when a condition does not hold.

    Raises: TransactionCanceledException, also when others kept writing the same items.
    """
    for tries_left in reversed(range(_TRIES)):
        try:
            await asyncio.to_thread(client.transact_write_items, TransactItems=actions)
        except client.exceptions.TransactionCanceledException as error:
            codes = {reason.get("Code") for reason in error.response.get("CancellationReasons", [])}
            if _REFUSED in codes:
                return False
            if _CONFLICT not in codes or not tries_left:
                raise
            # Two transactions met on one item; neither is stale yet, so the same one may still go through.
            await asyncio.sleep(_PAUSE_S * (1 + random.random()))  # noqa: S311
        else:
            return True
    return False
