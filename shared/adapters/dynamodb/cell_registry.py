"""The registry of cells, one item of the table of cells: written whole, under the revision that was read (T6)."""

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pydantic import TypeAdapter

from shared.adapters.dynamodb.attributes import from_attribute, to_attribute
from shared.adapters.dynamodb.cell_keys import cell_registry_key
from shared.cells.models import CellRegistry

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_REGISTRY: Final = TypeAdapter(CellRegistry)


class DynamoCellRegistry:
    """Implements `CellRegistryStore`."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    async def registry(self) -> CellRegistry:
        answer = await asyncio.to_thread(
            self._client.get_item, TableName=self._table, Key=cell_registry_key(), ConsistentRead=True
        )
        item = answer.get("Item")
        return CellRegistry({}) if item is None else _REGISTRY.validate_python(from_attribute(item["record"]))

    async def replace(self, registry: CellRegistry) -> bool:
        stored = replace(registry, revision=registry.revision + 1)
        try:
            await asyncio.to_thread(
                self._client.put_item,
                TableName=self._table,
                Item={
                    **cell_registry_key(),
                    "record": to_attribute(_REGISTRY.dump_python(stored, mode="json")),
                    "revision": {"N": str(stored.revision)},
                },
                ConditionExpression="attribute_not_exists(pk) AND :revision = :none OR revision = :revision",
                ExpressionAttributeValues={":revision": {"N": str(registry.revision)}, ":none": {"N": "0"}},
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        return True
