"""Users in the identity table: the account under its id, and the address that leads to it.

An account's item carries the user under `record`, and beside it `password_version` for conditions.
"""

import asyncio
import random
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from pydantic import TypeAdapter

from shared.adapters.dynamodb.attributes import from_attribute, to_attribute
from shared.adapters.dynamodb.bookkeeping import REHASH
from shared.adapters.dynamodb.identity_keys import email_key, user_key
from shared.adapters.dynamodb.items import current_item
from shared.adapters.dynamodb.keys import Key
from shared.adapters.dynamodb.transactions import CollisionError, Transactions
from shared.identity.sessions import SessionsBusyError
from shared.identity.users import PasswordChangedMeanwhileError, User
from shared.kernel.ids import UserId

_USER: Final = TypeAdapter(User)
_NOBODY: Final = UserId("nobody")
_CONFLICT_TRIES: Final = 8
_CONFLICT_PAUSE_S: Final = 0.02


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

    def __init__(self, transactions: Transactions, table: str) -> None:
        self._transactions = transactions
        self._client = transactions.client
        self._table = table

    async def by_id(self, user_id: UserId) -> User | None:
        item = await current_item(self._client, self._table, user_key(user_id))
        return None if item is None else _user(item)

    async def by_email(self, email: str) -> User | None:
        item = await current_item(self._client, self._table, email_key(email))
        # Looking for nobody takes as many reads as looking for somebody, so that the time tells nothing.
        return await self.by_id(_NOBODY if item is None else UserId(item["user_id"]["S"]))

    async def replace_password(self, user: User, password_hash: str) -> User:
        following = user.password_version + 1
        update = {
            **self._of_this_password(user),
            "UpdateExpression": (
                "SET #record.password_hash = :hash, #record.password_version = :next, password_version = :next"
            ),
            "ExpressionAttributeValues": {
                ":hash": {"S": password_hash},
                ":next": {"N": str(following)},
                ":version": {"N": str(user.password_version)},
            },
        }
        try:
            is_done = await self._transactions.write_own(f"users/{user.user_id}/password", {"Update": update})
        except CollisionError:
            raise SessionsBusyError from None
        if not is_done:
            raise PasswordChangedMeanwhileError
        return replace(user, password_hash=password_hash, password_version=following)

    async def rehash_password(self, user: User, password_hash: str) -> None:
        values = {":hash": {"S": password_hash}, ":version": {"N": str(user.password_version)}}
        update: Any = {
            **self._of_this_password(user),
            "UpdateExpression": REHASH,
            "ExpressionAttributeValues": values,
        }
        for _ in range(_CONFLICT_TRIES):
            try:
                await asyncio.to_thread(self._client.update_item, **update)
            except self._client.exceptions.ConditionalCheckFailedException:
                return
            except self._client.exceptions.TransactionConflictException:
                # A session of the user begins at this moment.
                await asyncio.sleep(_CONFLICT_PAUSE_S * (1 + random.random()))  # noqa: S311
                continue
            return
        raise SessionsBusyError

    def _of_this_password(self, user: User) -> dict[str, Any]:
        """Return the part of an update that refuses it when the password is another one by now."""
        return {
            "TableName": self._table,
            "Key": user_key(user.user_id),
            "ConditionExpression": "password_version = :version",
            "ExpressionAttributeNames": {"#record": "record"},
        }


def _user(item: Mapping[str, Any]) -> User:
    return _USER.validate_python(from_attribute(item["record"]))
