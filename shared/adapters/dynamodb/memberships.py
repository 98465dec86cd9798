"""Where users belong, from the members' records and the entries beside them by which sign-in finds organisations."""

import asyncio

from shared.adapters.dynamodb.identity_keys import MEMBERSHIP_PREFIX, user_partition
from shared.adapters.dynamodb.tenancy_records import DynamoTenancy
from shared.adapters.dynamodb.transactions import Transactions
from shared.identity.permissions import Role
from shared.kernel.ids import TenantId, UserId
from shared.tenancy.models import TenantStatus


class DynamoMemberships:
    """Implements `Memberships`."""

    def __init__(self, transactions: Transactions, table: str) -> None:
        self._client = transactions.client
        self._table = table
        self._records = DynamoTenancy(transactions, table)

    async def tenants_of(self, user_id: UserId) -> list[TenantId]:
        return await asyncio.to_thread(self._tenants_of, user_id)

    async def role_of(self, tenant: TenantId, user_id: UserId) -> Role | None:
        member, organisation = await asyncio.gather(
            self._records.member(tenant, user_id), self._records.tenant(tenant)
        )  # fmt: skip
        if member is None or organisation is None or organisation.status is not TenantStatus.ACTIVE:
            return None
        return member.role

    def _tenants_of(self, user_id: UserId) -> list[TenantId]:
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :prefix)",
            ExpressionAttributeValues={":pk": {"S": user_partition(user_id)}, ":prefix": {"S": MEMBERSHIP_PREFIX}},
            ConsistentRead=True,
        )
        return [TenantId(item["sk"]["S"].removeprefix(MEMBERSHIP_PREFIX)) for page in pages for item in page["Items"]]
