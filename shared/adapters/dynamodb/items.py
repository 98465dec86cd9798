"""Single items of a table, as they are now."""

import asyncio
from typing import TYPE_CHECKING, Any

from shared.adapters.dynamodb.keys import Key

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


async def current_item(client: "DynamoDBClient", table: str, key: Key) -> dict[str, Any] | None:
    """Return the item with `key`, strongly consistent; None without one."""
    answer = await asyncio.to_thread(client.get_item, TableName=table, Key=key, ConsistentRead=True)
    return answer.get("Item")
