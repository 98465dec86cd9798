"""Organisations, workspaces, members and invitations in the identity table: every commit is one conditional write (T1).

An item carries the whole record under `record`, beside it only what conditions, readers and the index of all
organisations need: `revision`, `listing` and `listed_at` (milliseconds), `expires_at` (seconds).
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from pydantic import TypeAdapter

from shared.adapters.dynamodb.attributes import to_attribute
from shared.adapters.dynamodb.identity_keys import (
    INVITATION_PREFIX,
    MEMBER_PREFIX,
    WORKSPACE_PREFIX,
    former_key,
    invitation_key,
    link_key,
    linked_key,
    member_key,
    membership_key,
    tenant_key,
    workspace_key,
)
from shared.adapters.dynamodb.items import current_item
from shared.adapters.dynamodb.keys import Key, tenant_partition
from shared.adapters.dynamodb.revisioned_records import NEVER_WRITTEN, RevisionedRecords, unchanged, within
from shared.adapters.dynamodb.security_events import event_item
from shared.adapters.dynamodb.transactions import CollisionError, Transactions
from shared.adapters.dynamodb.users import account_items
from shared.kernel.ids import InvitationId, TenantId, UserId, WorkspaceId
from shared.tenancy.errors import ChangedMeanwhileError, EmailTakenError
from shared.tenancy.models import Invitation, Member, Tenant, TenantPosition, Workspace
from shared.tenancy.ports import Check, Link, Note, Put, Record, Register, RegisterUnlisted, Remove, Write

ALL_TENANTS: Final = "tenants"
"""Index and partition of the list of all organisations: written by DynamoDB itself, rarely, and read by operators."""

_TENANT: Final = TypeAdapter(Tenant)
_WORKSPACE: Final = TypeAdapter(Workspace)
_MEMBER: Final = TypeAdapter(Member)
_INVITATION: Final = TypeAdapter(Invitation)

_KEEP_INVITATIONS: Final = timedelta(days=90)
"""How long after its expiry an invitation can still be read, whatever became of it."""


class DynamoTenancy:
    """Implements `TenancyRepository`."""

    def __init__(self, transactions: Transactions, table: str) -> None:
        self._transactions = transactions
        self._client = transactions.client
        self._table = table
        self._records = RevisionedRecords(transactions.client, table)

    async def tenant(self, tenant: TenantId) -> Tenant | None:
        return await self._records.get(tenant_key(tenant), _TENANT)

    async def tenants(self, limit: int, after: TenantPosition | None = None) -> list[Tenant]:
        start = None
        if after is not None:
            start = {**tenant_key(after.tenant), **_listing(after.created_at)}
        return await self._records.query(
            {
                "IndexName": ALL_TENANTS,
                "KeyConditionExpression": "listing = :listing",
                "ExpressionAttributeValues": {":listing": {"S": ALL_TENANTS}},
            },
            limit,
            start,
            _TENANT,
        )

    async def workspace(self, tenant: TenantId, workspace_id: WorkspaceId) -> Workspace | None:
        return await self._records.get(workspace_key(tenant, workspace_id), _WORKSPACE)

    async def workspaces(self, tenant: TenantId, limit: int, after: WorkspaceId | None = None) -> list[Workspace]:
        start = None if after is None else workspace_key(tenant, after)
        return await self._records.query(within(tenant_partition(tenant), WORKSPACE_PREFIX), limit, start, _WORKSPACE)

    async def member(self, tenant: TenantId, user_id: UserId) -> Member | None:
        return await self._records.get(member_key(tenant, user_id), _MEMBER)

    async def members(self, tenant: TenantId, limit: int, after: UserId | None = None) -> list[Member]:
        start = None if after is None else member_key(tenant, after)
        return await self._records.query(within(tenant_partition(tenant), MEMBER_PREFIX), limit, start, _MEMBER)

    async def was_member(self, tenant: TenantId, email: str) -> bool:
        return await current_item(self._client, self._table, former_key(tenant, email)) is not None

    async def invitation(self, tenant: TenantId, invitation_id: InvitationId) -> Invitation | None:
        return await self._records.get(invitation_key(tenant, invitation_id), _INVITATION)

    async def invitations(self, tenant: TenantId, limit: int, after: InvitationId | None = None) -> list[Invitation]:
        start = None if after is None else invitation_key(tenant, after)
        return await self._records.query(within(tenant_partition(tenant), INVITATION_PREFIX), limit, start, _INVITATION)

    async def commit(self, tenant: TenantId, writes: Sequence[Write]) -> None:
        if any(_tenant_of(write) not in (None, tenant) for write in writes):
            raise ValueError("A commit speaks of one tenant only.")
        planned = [(write, action) for write in writes for action in self._actions(tenant, write)]
        try:
            refused = await self._transactions.write(tenant, [_resource_of(writes)], [action for _, action in planned])
        except CollisionError:
            raise _overtaken() from None
        if refused:
            raise _refusal([planned[index][0] for index in refused])

    def _actions(self, tenant: TenantId, write: Write) -> list[Any]:
        match write:
            case Put(record):
                item = {**_key_of(record), **_attributes(record)}
                return [self._put(item, unchanged(record.revision)), *self._membership(record, "Put")]
            case Check(record):
                return [
                    {"ConditionCheck": {"TableName": self._table, "Key": _key_of(record), **unchanged(record.revision)}}
                ]
            case Remove(record):
                deleted = {"TableName": self._table, "Key": _key_of(record), **unchanged(record.revision)}
                return [{"Delete": deleted}, *self._membership(record, "Delete"), *self._former(record)]
            case Register(user):
                return [self._put(item, NEVER_WRITTEN) for item in account_items(user)]
            case RegisterUnlisted(user):
                return [self._put(account_items(user)[0], NEVER_WRITTEN)]
            case Link():
                return [self._put(item, NEVER_WRITTEN) for item in _link_items(write)]
            case Note(event):
                return [self._put(event_item(tenant, event), NEVER_WRITTEN)]

    def _put(self, item: Key, condition: dict[str, Any]) -> dict[str, Any]:
        return {"Put": {"TableName": self._table, "Item": item, **condition}}

    def _membership(self, record: Record, verb: str) -> list[dict[str, Any]]:
        if not isinstance(record, Member):
            return []
        key = membership_key(record.user_id, record.tenant)
        return [{verb: {"TableName": self._table, "Item" if verb == "Put" else "Key": key}}]

    def _former(self, record: Record) -> list[dict[str, Any]]:
        if not isinstance(record, Member):
            return []
        return [{"Put": {"TableName": self._table, "Item": former_key(record.tenant, record.email)}}]


def _tenant_of(write: Write) -> TenantId | None:
    match write:
        case Put(record) | Check(record) | Remove(record):
            return record.tenant
        case Link():
            return write.tenant
        case Register() | RegisterUnlisted() | Note():
            return None


def _resource_of(writes: Sequence[Write]) -> str:
    """Return what a commit is about: the most particular record that it writes."""
    written = [write.record for write in writes if isinstance(write, Put | Remove)]
    for kind in (Member, Invitation, Workspace, Tenant):
        for record in written:
            if isinstance(record, kind):
                return _resource(record)
    linked = [write for write in writes if isinstance(write, Link)]
    return f"identity-providers/{linked[0].provider_id}/links" if linked else "tenant"


def _resource(record: Record) -> str:
    match record:
        case Tenant():
            return "tenant"
        case Workspace():
            return f"workspaces/{record.workspace_id}"
        case Member():
            return f"members/{record.user_id}"
        case Invitation():
            return f"invitations/{record.invitation_id}"


def _link_items(link: Link) -> list[Key]:
    return [
        {**link_key(link.tenant, link.provider_id, link.subject), "user_id": {"S": link.user_id}},
        linked_key(link.tenant, link.provider_id, link.user_id),
    ]


def _key_of(record: Record) -> Key:
    match record:
        case Tenant():
            return tenant_key(record.tenant)
        case Workspace():
            return workspace_key(record.tenant, record.workspace_id)
        case Member():
            return member_key(record.tenant, record.user_id)
        case Invitation():
            return invitation_key(record.tenant, record.invitation_id)


def _attributes(record: Record) -> dict[str, Any]:
    following = replace(record, revision=record.revision + 1)
    attributes: dict[str, Any] = {"revision": {"N": str(following.revision)}}
    match following:
        case Tenant():
            dumped = _TENANT.dump_python(following, mode="json")
            attributes |= _listing(following.created_at)
        case Workspace():
            dumped = _WORKSPACE.dump_python(following, mode="json")
        case Member():
            dumped = _MEMBER.dump_python(following, mode="json")
        case Invitation():
            dumped = _INVITATION.dump_python(following, mode="json")
            kept_until = following.expires_at + _KEEP_INVITATIONS
            attributes["expires_at"] = {"N": str(int(kept_until.timestamp()))}
    return {**attributes, "record": to_attribute(dumped)}


def _listing(created_at: datetime) -> Key:
    return {"listing": {"S": ALL_TENANTS}, "listed_at": {"N": str(int(created_at.timestamp() * 1000))}}


def _refusal(failed: Sequence[Write]) -> Exception:
    if all(isinstance(write, Register) for write in failed):
        return EmailTakenError("There is an account of this address. Sign in with it.")
    return _overtaken()


def _overtaken() -> ChangedMeanwhileError:
    return ChangedMeanwhileError("Somebody changed this at the same time. Look at it again, and try again.")
