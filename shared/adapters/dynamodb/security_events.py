"""Security events in the identity table, in their organisation's partition, for 400 days."""

import asyncio
from typing import TYPE_CHECKING, Any, Final

from pydantic import TypeAdapter

from shared.adapters.dynamodb.attributes import from_attribute, to_attribute
from shared.adapters.dynamodb.identity_keys import EVENT_PREFIX, event_key
from shared.adapters.dynamodb.keys import Key, tenant_partition
from shared.identity.security_events import KEPT_FOR, SecurityEvent
from shared.kernel.ids import TenantId

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_EVENT: Final = TypeAdapter(SecurityEvent)


def event_item(tenant: TenantId, event: SecurityEvent) -> Key:
    """Return the item that an event is."""
    return {
        **event_key(tenant, event.event_id),
        "record": to_attribute(_EVENT.dump_python(event, mode="json")),
        "expires_at": {"N": str(int((event.at + KEPT_FOR).timestamp()))},
    }


class DynamoSecurityEvents:
    """Implements `SecurityEvents`."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    async def record(self, tenant: TenantId, event: SecurityEvent) -> None:
        await asyncio.to_thread(
            self._client.put_item,
            TableName=self._table,
            Item=event_item(tenant, event),
        )

    async def newest(self, tenant: TenantId, limit: int, before: str | None = None) -> list[SecurityEvent]:
        start: dict[str, Any] = {} if before is None else {"ExclusiveStartKey": event_key(tenant, before)}
        found: list[SecurityEvent] = []
        while len(found) < limit:
            answer = await asyncio.to_thread(
                self._client.query,
                TableName=self._table,
                KeyConditionExpression="pk = :pk AND begins_with(sk, :prefix)",
                ExpressionAttributeValues={":pk": {"S": tenant_partition(tenant)}, ":prefix": {"S": EVENT_PREFIX}},
                ScanIndexForward=False,
                ConsistentRead=True,
                Limit=limit - len(found),
                **start,
            )
            found.extend(_EVENT.validate_python(from_attribute(item["record"])) for item in answer["Items"])
            if "LastEvaluatedKey" not in answer:
                break
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}
        return found
