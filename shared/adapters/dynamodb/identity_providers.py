"""Connections to identity providers, links to their subjects, and sign-ins under way, in the identity table (T2)."""

import asyncio
import math
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from pydantic import TypeAdapter

from shared.adapters.dynamodb.attributes import from_attribute, to_attribute
from shared.adapters.dynamodb.identity_keys import (
    PROVIDER_PREFIX,
    external_sign_in_key,
    link_key,
    link_prefix,
    linked_key,
    linked_prefix,
    provider_key,
)
from shared.adapters.dynamodb.items import current_item
from shared.adapters.dynamodb.keys import tenant_partition
from shared.adapters.dynamodb.transactions import Transactions
from shared.identity.oidc_ports import PendingSignIn
from shared.identity.oidc_providers import IdentityProvider
from shared.kernel.ids import IdentityProviderId, TenantId, UserId

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_PROVIDER: Final = TypeAdapter(IdentityProvider)
_SIGN_IN: Final = TypeAdapter(PendingSignIn)
_LINKS_AT_ONCE: Final = 50


class DynamoIdentityProviders:
    """Implements `IdentityProviders`."""

    def __init__(self, transactions: Transactions, table: str) -> None:
        self._transactions = transactions
        self._client = transactions.client
        self._table = table

    async def provider(self, tenant: TenantId, provider_id: IdentityProviderId) -> IdentityProvider | None:
        item = await current_item(self._client, self._table, provider_key(tenant, provider_id))
        return None if item is None else _provider(item)

    async def providers(self, tenant: TenantId) -> list[IdentityProvider]:
        items = await asyncio.to_thread(lambda: list(_within(self._client, self._table, tenant, PROVIDER_PREFIX)))
        return [_provider(item) for item in items]

    async def add(self, provider: IdentityProvider) -> IdentityProvider:
        record = to_attribute(_PROVIDER.dump_python(provider, mode="json"))
        put = {
            "TableName": self._table,
            "Item": {**provider_key(provider.tenant, provider.provider_id), "record": record},
            "ConditionExpression": "attribute_not_exists(pk)",
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        refused = await self._transactions.write(provider.tenant, [_resource(provider.provider_id)], [{"Put": put}])
        return _provider(refused[0]) if refused else provider

    async def remove(self, tenant: TenantId, provider_id: IdentityProviderId) -> IdentityProvider | None:
        found = await self.provider(tenant, provider_id)
        delete = {
            "TableName": self._table,
            "Key": provider_key(tenant, provider_id),
            "ConditionExpression": "attribute_exists(pk)",
        }
        if found is None or not await self._transactions.write_all(tenant, _resource(provider_id), {"Delete": delete}):
            return None
        return found


class DynamoIdentityLinks:
    """Implements `IdentityLinks`; links are written together with the membership (`DynamoTenancy`)."""

    def __init__(self, transactions: Transactions, table: str) -> None:
        self._transactions = transactions
        self._client = transactions.client
        self._table = table

    async def user_of(self, tenant: TenantId, provider_id: IdentityProviderId, subject: str) -> UserId | None:
        item = await current_item(self._client, self._table, link_key(tenant, provider_id, subject))
        return None if item is None else UserId(item["user_id"]["S"])

    async def is_linked(self, tenant: TenantId, provider_id: IdentityProviderId, user_id: UserId) -> bool:
        return await current_item(self._client, self._table, linked_key(tenant, provider_id, user_id)) is not None

    async def forget(self, tenant: TenantId, provider_id: IdentityProviderId) -> None:
        deletes = await asyncio.to_thread(self._deletes, tenant, provider_id)
        resource = f"{_resource(provider_id)}/links"
        for start in range(0, len(deletes), _LINKS_AT_ONCE):
            await self._transactions.write_all(tenant, resource, *deletes[start : start + _LINKS_AT_ONCE])

    def _deletes(self, tenant: TenantId, provider_id: IdentityProviderId) -> list[Any]:
        return [
            {"Delete": {"TableName": self._table, "Key": {"pk": item["pk"], "sk": item["sk"]}}}
            for prefix in (link_prefix(provider_id), linked_prefix(provider_id))
            for item in _within(self._client, self._table, tenant, prefix)
        ]


class DynamoPendingSignIns:
    """Implements `PendingSignIns`: taking one is a single conditional delete."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    async def add(self, state_hash: str, binding_hash: str, sign_in: PendingSignIn) -> None:
        await asyncio.to_thread(
            self._client.put_item,
            TableName=self._table,
            Item={
                **external_sign_in_key(state_hash),
                "binding_hash": {"S": binding_hash},
                "expires_at": {"N": str(math.ceil(sign_in.expires_at.timestamp()))},
                "record": to_attribute(_SIGN_IN.dump_python(sign_in, mode="json")),
            },
        )

    async def take(self, state_hash: str, binding_hash: str, now: datetime) -> PendingSignIn | None:
        try:
            answer = await asyncio.to_thread(
                self._client.delete_item,
                TableName=self._table,
                Key=external_sign_in_key(state_hash),
                # The table's own clean-up may be days late, so an expired item must count as none.
                ConditionExpression="binding_hash = :binding AND expires_at > :now",
                ExpressionAttributeValues={
                    ":binding": {"S": binding_hash},
                    ":now": {"N": str(math.floor(now.timestamp()))},
                },
                ReturnValues="ALL_OLD",
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return None
        return _SIGN_IN.validate_python(from_attribute(answer["Attributes"]["record"]))


def _resource(provider_id: IdentityProviderId) -> str:
    return f"identity-providers/{provider_id}"


def _within(client: "DynamoDBClient", table: str, tenant: TenantId, prefix: str) -> Iterator[Mapping[str, Any]]:
    pages = client.get_paginator("query").paginate(
        TableName=table,
        KeyConditionExpression="pk = :pk AND begins_with(sk, :prefix)",
        ExpressionAttributeValues={":pk": {"S": tenant_partition(tenant)}, ":prefix": {"S": prefix}},
        ConsistentRead=True,
    )
    for page in pages:
        yield from page["Items"]


def _provider(item: Mapping[str, Any]) -> IdentityProvider:
    return _PROVIDER.validate_python(from_attribute(item["record"]))
