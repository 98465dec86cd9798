"""Users in the identity table: the account under its id, and the address that leads to it.

An account's item carries the user under `record`, and beside it `password_version` for conditions.
"""

import asyncio
import random
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from pydantic import TypeAdapter

from shared.adapters.dynamodb.attributes import from_attribute, to_attribute
from shared.adapters.dynamodb.identity_keys import email_key, user_key
from shared.adapters.dynamodb.keys import Key
from shared.identity.sessions import SessionsBusyError
from shared.identity.users import PasswordChangedMeanwhileError, User
from shared.kernel.ids import UserId

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

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
        for _ in range(_CONFLICT_TRIES):
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
            except self._client.exceptions.TransactionConflictException:
                # A session of the user begins at this moment.
                await asyncio.sleep(_CONFLICT_PAUSE_S * (1 + random.random()))  # noqa: S311
                continue
            return answer["Attributes"]
        raise SessionsBusyError

    async def _get(self, key: Key) -> dict[str, Any] | None:
        answer = await asyncio.to_thread(self._client.get_item, TableName=self._table, Key=key, ConsistentRead=True)
        return answer.get("Item")


def _user(item: Mapping[str, Any]) -> User:
    return _USER.validate_python(from_attribute(item["record"]))
