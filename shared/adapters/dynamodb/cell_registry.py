"""The registry of cells, one item of the table of cells: written whole, under the revision that was read (T6)."""

from dataclasses import replace
from typing import Any, Final

from pydantic import TypeAdapter

from shared.adapters.dynamodb.attributes import from_attribute, to_attribute
from shared.adapters.dynamodb.cell_keys import cell_registry_key
from shared.adapters.dynamodb.items import current_item
from shared.adapters.dynamodb.transactions import CollisionError, Transactions
from shared.cells.models import CellId, CellRegistry

_REGISTRY: Final = TypeAdapter(CellRegistry)


class DynamoCellRegistry:
    """Implements `AskedCellRegistryStore`."""

    def __init__(self, transactions: Transactions, table: str) -> None:
        self._transactions = transactions
        self._client = transactions.client
        self._table = table

    async def registry(self) -> CellRegistry:
        item = await current_item(self._client, self._table, cell_registry_key())
        return CellRegistry({}) if item is None else _REGISTRY.validate_python(from_attribute(item["record"]))

    async def replace(self, registry: CellRegistry) -> bool:
        try:
            return not await self._transactions.keep([{"Put": self._put(registry)}])
        except CollisionError:
            return False

    async def change(self, registry: CellRegistry, cell_id: CellId) -> bool:
        try:
            return await self._transactions.write_own(f"cells/{cell_id}", {"Put": self._put(registry)})
        except CollisionError:
            return False

    def _put(self, registry: CellRegistry) -> dict[str, Any]:
        stored = replace(registry, revision=registry.revision + 1)
        return {
            "TableName": self._table,
            "Item": {
                **cell_registry_key(),
                "record": to_attribute(_REGISTRY.dump_python(stored, mode="json")),
                "revision": {"N": str(stored.revision)},
            },
            "ConditionExpression": "attribute_not_exists(pk) AND :revision = :none OR revision = :revision",
            "ExpressionAttributeValues": {":revision": {"N": str(registry.revision)}, ":none": {"N": "0"}},
        }
