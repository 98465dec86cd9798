"""Records that stand whole under `record`, beside the revision that says how often they were written."""

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, TypeVar

from pydantic import TypeAdapter

from shared.adapters.dynamodb.attributes import from_attribute
from shared.adapters.dynamodb.keys import Key

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

NEVER_WRITTEN: Final = {"ConditionExpression": "attribute_not_exists(pk)"}
"""The condition that there is no such record."""

R = TypeVar("R")


class RevisionedRecords:
    """Reads the records of one table."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    async def get(self, key: Key, adapter: TypeAdapter[R]) -> R | None:
        """Return the record with `key` as it is now."""
        answer = await asyncio.to_thread(
            self._client.get_item,
            TableName=self._table,
            Key=key,
            ConsistentRead=True,
            ProjectionExpression="#record, revision",
            ExpressionAttributeNames={"#record": "record"},
        )
        item = answer.get("Item")
        return None if item is None else _read(item, adapter)

    async def query(self, wanted: Mapping[str, Any], limit: int, start: Key | None, adapter: TypeAdapter[R]) -> list[R]:
        """Return the first `limit` records that are `wanted`, as a query names them, after the one that is `start`."""
        found: list[R] = []
        while len(found) < limit:
            arguments: dict[str, Any] = {"ExclusiveStartKey": start} if start is not None else {}
            answer = await asyncio.to_thread(
                self._client.query, TableName=self._table, Limit=limit - len(found), **wanted, **arguments
            )
            found.extend(_read(item, adapter) for item in answer["Items"])
            start = answer.get("LastEvaluatedKey")
            if start is None:
                break
        return found


def within(partition: str, prefix: str) -> dict[str, Any]:
    """Return the query for what stands in `partition` under sort keys that begin with `prefix`, as it is now."""
    return {
        "KeyConditionExpression": "pk = :pk AND begins_with(sk, :prefix)",
        "ExpressionAttributeValues": {":pk": {"S": partition}, ":prefix": {"S": prefix}},
        "ConsistentRead": True,
    }


def unchanged(revision: int) -> dict[str, Any]:
    """Return the condition that a record still is at `revision`; 0 is a record that was never written."""
    if revision == 0:
        return NEVER_WRITTEN
    return {
        "ConditionExpression": "revision = :revision",
        "ExpressionAttributeValues": {":revision": {"N": str(revision)}},
    }


def _read(item: Mapping[str, Any], adapter: TypeAdapter[R]) -> R:
    record = from_attribute(item["record"])
    record["revision"] = from_attribute(item["revision"])
    return adapter.validate_python(record)
