"""API keys in the identity table, each under its tenant; what has ended leaves by the table's own clean-up."""

import asyncio
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from shared.adapters.dynamodb.attributes import from_attribute, to_attribute
from shared.adapters.dynamodb.bookkeeping import NOTE_USE
from shared.adapters.dynamodb.identity_keys import API_KEY_PREFIX, api_key_key
from shared.adapters.dynamodb.items import current_item
from shared.adapters.dynamodb.keys import tenant_partition
from shared.adapters.dynamodb.security_events import event_item
from shared.adapters.dynamodb.transactions import Transactions
from shared.identity.api_keys import MOST_SECRETS, ApiKey
from shared.identity.permissions import Permission
from shared.identity.security_events import SecurityEvent
from shared.kernel.ids import ApiKeyId, TenantId, UserId, WorkspaceId

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef, TransactWriteItemTypeDef


class DynamoApiKeys:
    """Implements `ApiKeyRepository`: one item a key; each change is one conditional write of what it changes."""

    def __init__(self, transactions: Transactions, table: str) -> None:
        self._transactions = transactions
        self._client = transactions.client
        self._table = table

    async def api_key(self, tenant: TenantId, key_id: ApiKeyId) -> ApiKey | None:
        item = await current_item(self._client, self._table, api_key_key(tenant, key_id))
        return None if item is None else _key_of(item)

    async def api_keys(self, tenant: TenantId, limit: int, after: ApiKeyId | None = None) -> list[ApiKey]:
        """Return up to `limit` keys after `after`, in the order of their creation, whatever became of them."""
        # No bounds to compare with: `after` is whatever a page token says, and may lie beyond all ids.
        start: Any = {} if after is None else {"ExclusiveStartKey": api_key_key(tenant, after)}
        found = await asyncio.to_thread(
            self._client.query,
            TableName=self._table,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :prefix)",
            ExpressionAttributeValues={":pk": {"S": tenant_partition(tenant)}, ":prefix": {"S": API_KEY_PREFIX}},
            ConsistentRead=True,
            Limit=limit,
            **start,
        )
        return [_key_of(item) for item in found["Items"]]

    async def create(self, key: ApiKey, event: SecurityEvent) -> bool:
        """Keep a new key and what owners read of it; answer False, and change nothing, when one of its id is there."""
        put: TransactWriteItemTypeDef = {
            "Put": {"TableName": self._table, "Item": _item_of(key), "ConditionExpression": "attribute_not_exists(pk)"}
        }
        return await self._transactions.write_all(key.tenant, _resource(key.key_id), put, self._told(key.tenant, event))

    async def add_secret(self, tenant: TenantId, key_id: ApiKeyId, secret_hash: str) -> bool:
        """Let one more secret open the key; answer False when it has `MOST_SECRETS`, was revoked, or is not there."""
        # A transaction of one: it waits while another one writes the key.
        update: TransactWriteItemTypeDef = {
            "Update": {
                "TableName": self._table,
                "Key": api_key_key(tenant, key_id),
                "UpdateExpression": "SET secret_hashes = list_append(secret_hashes, :added)",
                "ConditionExpression": (
                    "attribute_exists(pk) AND attribute_not_exists(revoked_at) AND size(secret_hashes) < :most"
                ),
                "ExpressionAttributeValues": {
                    ":added": to_attribute([secret_hash]),
                    ":most": to_attribute(MOST_SECRETS),
                },
            }
        }
        return await self._transactions.write_all(tenant, _resource(key_id), update)

    async def revoke(
        self, tenant: TenantId, key_id: ApiKeyId, now: datetime, kept_until: datetime, event: SecurityEvent
    ) -> bool:
        """Note that the key is no longer good, and what owners read of it; answer False when it was not good anyway."""
        update: TransactWriteItemTypeDef = {
            "Update": {
                "TableName": self._table,
                "Key": api_key_key(tenant, key_id),
                "UpdateExpression": "SET revoked_at = :now, expires_at = :kept_until",
                "ConditionExpression": "attribute_exists(pk) AND attribute_not_exists(revoked_at)",
                "ExpressionAttributeValues": {":now": to_attribute(_written(now)), ":kept_until": _seconds(kept_until)},
            }
        }
        return await self._transactions.write_all(tenant, _resource(key_id), update, self._told(tenant, event))

    async def note_use(self, tenant: TenantId, key_id: ApiKeyId, now: datetime, unless_since: datetime) -> bool:
        """Note that the key is used, unless that was noted after `unless_since`; answer False when it failed."""
        try:
            await asyncio.to_thread(
                self._client.update_item,
                TableName=self._table,
                Key=api_key_key(tenant, key_id),
                UpdateExpression=NOTE_USE,
                ConditionExpression=(
                    "attribute_exists(pk) AND (attribute_not_exists(last_used_at) OR last_used_at <= :since)"
                ),
                ExpressionAttributeValues={
                    ":now": to_attribute(_written(now)),
                    ":since": to_attribute(_written(unless_since)),
                },
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return True
        except (BotoCoreError, ClientError):
            return False
        return True

    def _told(self, tenant: TenantId, event: SecurityEvent) -> "TransactWriteItemTypeDef":
        return {"Put": {"TableName": self._table, "Item": event_item(tenant, event)}}


def _resource(key_id: ApiKeyId) -> str:
    return f"api-keys/{key_id}"


def _item_of(key: ApiKey) -> "dict[str, AttributeValueTypeDef]":
    members = {
        "tenant": key.tenant,
        "user": key.user,
        "name": key.name,
        "permissions": sorted(key.permissions),
        "secret_hashes": list(key.secret_hashes),
        "created_at": _written(key.created_at),
        "ends_at": _written(key.expires_at),
    }
    if key.workspaces is not None:
        members["workspaces"] = sorted(key.workspaces)
    if key.last_used_at is not None:
        members["last_used_at"] = _written(key.last_used_at)
    if key.revoked_at is not None:
        members["revoked_at"] = _written(key.revoked_at)
    return {
        **api_key_key(key.tenant, key.key_id),
        **{name: to_attribute(value) for name, value in members.items()},
        "expires_at": _seconds(key.kept_until),
    }


def _key_of(item: Mapping[str, Any]) -> ApiKey:
    read = {name: from_attribute(value) for name, value in item.items()}
    known = set(Permission)
    return ApiKey(
        tenant=TenantId(read["tenant"]),
        key_id=ApiKeyId(read["sk"].removeprefix(API_KEY_PREFIX)),
        user=UserId(read["user"]),
        name=read["name"],
        # A permission that is gone from this version grants nothing.
        permissions=frozenset(Permission(name) for name in read["permissions"] if name in known),
        workspaces=frozenset(map(WorkspaceId, read["workspaces"])) if "workspaces" in read else None,
        secret_hashes=tuple(read["secret_hashes"]),
        created_at=datetime.fromisoformat(read["created_at"]),
        expires_at=datetime.fromisoformat(read["ends_at"]),
        last_used_at=_moment(read, "last_used_at"),
        revoked_at=_moment(read, "revoked_at"),
    )


def _written(moment: datetime) -> str:
    """Write a moment so that the order of strings is that of time."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def _moment(read: Mapping[str, Any], name: str) -> datetime | None:
    return datetime.fromisoformat(read[name]) if name in read else None


def _seconds(moment: datetime) -> "AttributeValueTypeDef":
    return {"N": str(math.ceil(moment.timestamp()))}
