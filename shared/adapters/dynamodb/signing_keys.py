"""The public halves of the signing keys, in one item of the identity table that all who verify read."""

import asyncio
import json
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError
from pydantic import TypeAdapter

from shared.adapters.dynamodb.attributes import from_attribute, to_attribute
from shared.adapters.dynamodb.identity_keys import jwks_key
from shared.identity.signing_keys import KeyRing, NoSigningKeyError, SigningKeysUnavailableError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_RING: Final = TypeAdapter(KeyRing)


class DynamoPublishedKeys:
    """Implements `PublishedKeys`."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    async def ring(self) -> KeyRing:
        try:
            return await asyncio.to_thread(self.read)
        except (BotoCoreError, ClientError) as error:
            raise SigningKeysUnavailableError from error

    async def publish(self, ring: KeyRing, now: datetime) -> bool:
        following = KeyRing(ring.keys, now, ring.revision + 1)
        condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(pk)"}
        if ring.revision:
            condition = {
                "ConditionExpression": "revision = :revision",
                "ExpressionAttributeValues": {":revision": {"N": str(ring.revision)}},
            }
        try:
            await asyncio.to_thread(
                self._client.put_item,
                TableName=self._table,
                Item={
                    **jwks_key(),
                    "record": to_attribute(_RING.dump_python(following, mode="json")),
                    "revision": {"N": str(following.revision)},
                },
                **condition,
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def read(self) -> KeyRing:
        """Return the ring, in the caller's own thread."""
        answer = self._client.get_item(TableName=self._table, Key=jwks_key(), ConsistentRead=True)
        item = answer.get("Item")
        return KeyRing() if item is None else _RING.validate_python(from_attribute(item["record"]))


def key_set_source(client: "DynamoDBClient", table: str) -> Callable[[], bytes]:
    """Return what fetches the published keys as a JWKS document.

    It raises ConnectionError when they cannot be read and while there are none: nobody must remember that none exist.
    """
    published = DynamoPublishedKeys(client, table)

    def fetch() -> bytes:
        try:
            return json.dumps(published.read().to_jwks()).encode()
        except (BotoCoreError, ClientError, NoSigningKeyError) as error:
            raise ConnectionError("The published keys cannot be read.") from error

    return fetch
