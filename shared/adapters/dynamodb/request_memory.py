"""Requests that may be repeated, remembered in the metadata table until they expire."""

import asyncio
import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from shared.adapters.dynamodb.keys import request_key
from shared.kernel.ids import TenantId
from shared.kernel.repeated_requests import RememberedRequest

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

_UNKNOWN_OR_EXPIRED: Final = "attribute_not_exists(pk) OR expires_at <= :now"


class DynamoRequestMemory:
    """Implements `RequestMemory`: the first of several equal requests wins, in one conditional write."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    async def remember(self, tenant: TenantId, request: RememberedRequest, now: datetime) -> RememberedRequest:
        """Keep `request` unless one of its name is known and not expired at `now`; return the one that is kept."""
        return await asyncio.to_thread(self._remember, tenant, request, now)

    def _remember(self, tenant: TenantId, request: RememberedRequest, now: datetime) -> RememberedRequest:
        item: dict[str, AttributeValueTypeDef] = {
            **request_key(tenant, request.name),
            "fingerprint": {"S": request.fingerprint},
            "chosen_id": {"S": request.chosen_id},
            "expires_at": {"N": str(math.ceil(request.expires_at.timestamp()))},
        }
        try:
            self._client.put_item(
                TableName=self._table,
                Item=item,
                ConditionExpression=_UNKNOWN_OR_EXPIRED,
                # The table's own clean-up may be days late, so an expired item must count as none.
                ExpressionAttributeValues={":now": {"N": str(math.floor(now.timestamp()))}},
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except self._client.exceptions.ConditionalCheckFailedException as refusal:
            # The client's types do not know that a refusal carries the item.
            known: Any = refusal.response.get("Item")
            return RememberedRequest(
                name=request.name,
                fingerprint=known["fingerprint"]["S"],
                chosen_id=known["chosen_id"]["S"],
                expires_at=datetime.fromtimestamp(int(known["expires_at"]["N"]), UTC),
            )
        return request
