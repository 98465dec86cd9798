"""Sessions in the identity table, one item each: every step is one conditional write.

An item carries the session under `record`, beside it what conditions need: `generation`, and `revoked_at` at its end.
"""

import asyncio
from datetime import datetime, timedelta
from typing import Any, Final

from pydantic import TypeAdapter

from shared.adapters.dynamodb.attributes import from_attribute, to_attribute
from shared.adapters.dynamodb.identity_keys import session_key, session_prefix, user_key
from shared.adapters.dynamodb.items import current_item
from shared.adapters.dynamodb.keys import Key, tenant_partition
from shared.adapters.dynamodb.security_events import event_item
from shared.adapters.dynamodb.transactions import CollisionError, Transactions
from shared.identity.security_events import SecurityEvent
from shared.identity.sessions import Session, SessionsBusyError
from shared.kernel.ids import SessionId, TenantId, UserId

_SESSION: Final = TypeAdapter(Session)
_KEPT_AFTER_END: Final = timedelta(days=1)
_NEW: Final = {"ConditionExpression": "attribute_not_exists(pk)"}


class DynamoSessions:
    """Implements `SessionStore`."""

    def __init__(self, transactions: Transactions, table: str) -> None:
        self._transactions = transactions
        self._client = transactions.client
        self._table = table

    async def add(self, session: Session) -> bool:
        return await self._commit(
            session,
            {"Put": {"TableName": self._table, "Item": _item(session), **_NEW}},
            {
                "ConditionCheck": {
                    "TableName": self._table,
                    "Key": user_key(session.user),
                    "ConditionExpression": "password_version = :version",
                    "ExpressionAttributeValues": {":version": {"N": str(session.password_version)}},
                }
            },
        )

    async def session(self, tenant: TenantId, user: UserId, session: SessionId) -> Session | None:
        item = await current_item(self._client, self._table, session_key(tenant, user, session))
        return None if item is None else _read(item)

    async def sessions_of(self, tenant: TenantId, user: UserId) -> list[Session]:
        return await asyncio.to_thread(self._sessions_of, tenant, user)

    async def replace(self, before: Session, after: Session) -> bool:
        put = {
            "TableName": self._table,
            "Item": _item(after),
            "ConditionExpression": "generation = :generation AND attribute_not_exists(revoked_at)",
            "ExpressionAttributeValues": {":generation": {"N": str(before.generation)}},
        }
        return await self._commit(after, {"Put": put})

    async def revoke(self, session: Session, now: datetime, event: SecurityEvent | None = None) -> bool:
        end = {
            "TableName": self._table,
            "Key": session_key(session.tenant, session.user, session.session),
            "UpdateExpression": "SET revoked_at = :now",
            "ConditionExpression": "attribute_exists(pk) AND attribute_not_exists(revoked_at)",
            "ExpressionAttributeValues": {":now": {"S": now.isoformat()}},
        }
        if event is None:
            return await self._commit(session, {"Update": end})
        item = event_item(session.tenant, event)
        return await self._commit(session, {"Update": end}, {"Put": {"TableName": self._table, "Item": item}})

    async def _commit(self, session: Session, *actions: dict[str, Any]) -> bool:
        """Do all of `actions` or none; answer whether every condition held."""
        try:
            return await self._transactions.write_all(
                session.tenant, f"sessions/{session.session}", *actions, actor=session.user
            )
        except CollisionError:
            raise SessionsBusyError from None

    def _sessions_of(self, tenant: TenantId, user: UserId) -> list[Session]:
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :prefix)",
            ExpressionAttributeValues={":pk": {"S": tenant_partition(tenant)}, ":prefix": {"S": session_prefix(user)}},
            ConsistentRead=True,
        )
        return [_read(item) for page in pages for item in page["Items"]]


def _item(session: Session) -> Key:
    return {
        **session_key(session.tenant, session.user, session.session),
        "record": to_attribute(_SESSION.dump_python(session, mode="json")),
        "generation": {"N": str(session.generation)},
        "expires_at": {"N": str(int((session.expires_at + _KEPT_AFTER_END).timestamp()))},
    }


def _read(item: dict[str, Any]) -> Session:
    record = from_attribute(item["record"])
    if "revoked_at" in item:
        record["revoked_at"] = item["revoked_at"]["S"]
    return _SESSION.validate_python(record)
