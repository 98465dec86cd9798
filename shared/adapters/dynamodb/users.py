"""Users in the identity table: the account under its id, and the address that leads to it.

An account's item carries the user under `record`, and beside it `password_version` for conditions.
"""

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from pydantic import TypeAdapter

from shared.adapters.dynamodb.attributes import from_attribute, to_attribute
from shared.adapters.dynamodb.identity_keys import (
    MEMBERSHIP_PREFIX,
    email_key,
    member_key,
    tenant_key,
    user_key,
    user_partition,
)
from shared.adapters.dynamodb.keys import Key
from shared.identity.permissions import Role
from shared.identity.users import PasswordChangedMeanwhileError, User
from shared.kernel.ids import TenantId, UserId
from shared.tenancy.models import TenantStatus

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_USER: Final = TypeAdapter(User)
_NOBODY: Final = UserId("nobody")


def account_items(user: User) -> list[Key]:
    """Return the two items that make an account: the user, then the address. Both must be new."""
    return [
        {
            **user_key(user.user_id),
            "record": to_attribute(_USER.dump_python(user, mode="json")),
            "password_version": {"N": str(user.password_version)},
        },
        {**email_key(user.email), "user_id": {"S": user.user_id}},
    ]


class DynamoUsers:
    """Implements `Users`."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    async def by_id(self, user_id: UserId) -> User | None:
        item = await self._get(user_key(user_id))
        return None if item is None else _user(item)

    async def by_email(self, email: str) -> User | None:
        item = await self._get(email_key(email))
        # Looking for nobody takes as many reads as looking for somebody, so that the time tells nothing.
        return await self.by_id(_NOBODY if item is None else UserId(item["user_id"]["S"]))

    async def replace_password(self, user: User, password_hash: str) -> User:
        following = user.password_version + 1
        changes = "#record.password_hash = :hash, #record.password_version = :next, password_version = :next"
        item = await self._update(user, changes, {":hash": {"S": password_hash}, ":next": {"N": str(following)}})
        if item is None:
            raise PasswordChangedMeanwhileError
        return _user(item)

    async def rehash_password(self, user: User, password_hash: str) -> None:
        await self._update(user, "#record.password_hash = :hash", {":hash": {"S": password_hash}})

    async def _update(self, user: User, changes: str, values: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return the item after the changes; None, and nothing changed, when the password is another one."""
        try:
            answer = await asyncio.to_thread(
                self._client.update_item,
                TableName=self._table,
                Key=user_key(user.user_id),
                UpdateExpression=f"SET {changes}",
                ConditionExpression="password_version = :version",
                ExpressionAttributeNames={"#record": "record"},
                ExpressionAttributeValues={**values, ":version": {"N": str(user.password_version)}},
                ReturnValues="ALL_NEW",
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return None
        return answer["Attributes"]

    async def _get(self, key: Key) -> dict[str, Any] | None:
        answer = await asyncio.to_thread(self._client.get_item, TableName=self._table, Key=key, ConsistentRead=True)
        return answer.get("Item")


class DynamoMemberships:
    """Implements `Memberships` on the members' records and on the entries by which sign-in finds organisations."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    async def tenants_of(self, user_id: UserId) -> list[TenantId]:
        return await asyncio.to_thread(self._tenants_of, user_id)

    async def role_of(self, tenant: TenantId, user_id: UserId) -> Role | None:
        member, organisation = await asyncio.gather(
            self._record(member_key(tenant, user_id)), self._record(tenant_key(tenant))
        )
        if member is None or organisation is None or organisation["status"] == TenantStatus.SUSPENDED.value:
            return None
        return Role(member["role"])

    def _tenants_of(self, user_id: UserId) -> list[TenantId]:
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :prefix)",
            ExpressionAttributeValues={":pk": {"S": user_partition(user_id)}, ":prefix": {"S": MEMBERSHIP_PREFIX}},
            ConsistentRead=True,
        )
        return [
            TenantId(item["sk"]["S"].removeprefix(MEMBERSHIP_PREFIX)) for page in pages for item in page["Items"]
        ]  # fmt: skip

    async def _record(self, key: Key) -> dict[str, Any] | None:
        answer = await asyncio.to_thread(self._client.get_item, TableName=self._table, Key=key, ConsistentRead=True)
        item = answer.get("Item")
        return None if item is None else from_attribute(item["record"])


def _user(item: Mapping[str, Any]) -> User:
    return _USER.validate_python(from_attribute(item["record"]))
