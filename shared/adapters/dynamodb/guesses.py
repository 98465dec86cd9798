"""Wrong passwords by address, in the identity table, until they are forgotten."""

import asyncio
from typing import TYPE_CHECKING, Any, Final

from pydantic import TypeAdapter

from shared.adapters.dynamodb.attributes import from_attribute, to_attribute
from shared.adapters.dynamodb.identity_keys import guesses_key
from shared.adapters.dynamodb.items import current_item
from shared.identity.guesses import FORGOTTEN_AFTER, Guesses

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_GUESSES: Final = TypeAdapter(Guesses)


class DynamoGuesses:
    """Implements `GuessStore`."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    async def guesses(self, email: str) -> Guesses:
        item = await current_item(self._client, self._table, guesses_key(email))
        return Guesses() if item is None else _GUESSES.validate_python(from_attribute(item["record"]))

    async def replace(self, email: str, guesses: Guesses) -> bool:
        following = _GUESSES.dump_python(guesses, mode="json") | {"revision": guesses.revision + 1}
        item: dict[str, Any] = {
            **guesses_key(email),
            "record": to_attribute(following),
            "revision": {"N": str(guesses.revision + 1)},
        }
        if guesses.last_at is not None:
            item["expires_at"] = {"N": str(int((guesses.last_at + 2 * FORGOTTEN_AFTER).timestamp()))}
        try:
            await asyncio.to_thread(
                self._client.put_item, TableName=self._table, Item=item, **_unchanged(guesses.revision)
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        return True

    async def forget(self, email: str) -> None:
        await asyncio.to_thread(self._client.delete_item, TableName=self._table, Key=guesses_key(email))


def _unchanged(revision: int) -> dict[str, Any]:
    if revision == 0:
        return {"ConditionExpression": "attribute_not_exists(pk)"}
    return {
        "ConditionExpression": "revision = :revision",
        "ExpressionAttributeValues": {":revision": {"N": str(revision)}},
    }
