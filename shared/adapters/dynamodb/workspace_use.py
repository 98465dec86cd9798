"""How many knowledge bases stand in each workspace, counted in the transactions that create, move and delete them."""

from typing import Any

from shared.adapters.dynamodb.keys import workspace_use_key
from shared.adapters.dynamodb.transactions import Transactions
from shared.kernel.ids import TenantId, WorkspaceId
from shared.knowledge.ports import EnterWorkspace, LeaveWorkspace


class DynamoWorkspaceUse:
    """Implements `WorkspaceUse`."""

    def __init__(self, transactions: Transactions, table: str) -> None:
        self._transactions = transactions
        self._table = table

    async def close(self, tenant: TenantId, workspace_id: WorkspaceId) -> bool:
        update = {
            "TableName": self._table,
            "Key": workspace_use_key(tenant, workspace_id),
            "UpdateExpression": "SET is_closed = :yes",
            "ConditionExpression": "attribute_not_exists(bases) OR bases <= :none",
            "ExpressionAttributeValues": {":yes": {"BOOL": True}, ":none": {"N": "0"}},
        }
        return await self._transactions.write_all(tenant, f"workspaces/{workspace_id}", {"Update": update})


def using(write: EnterWorkspace | LeaveWorkspace) -> dict[str, Any]:
    """Return the change of a workspace's counter; entering is refused once it is closed."""
    more = 1 if isinstance(write, EnterWorkspace) else -1
    change: dict[str, Any] = {
        "UpdateExpression": "ADD bases :bases",
        "ExpressionAttributeValues": {":bases": {"N": str(more)}},
    }
    if more > 0:
        change["ConditionExpression"] = "attribute_not_exists(is_closed)"
    return change
