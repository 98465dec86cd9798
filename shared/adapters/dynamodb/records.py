"""The records of the ingestion protocol in one DynamoDB table: every commit is one conditional write (K2, K12).

An item carries the whole record under `record`, beside it only what conditions, readers and the index of due records
need: `revision`, `live`, `due_shard` and `due_at` (milliseconds), `expires_at` (seconds).
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from pydantic import TypeAdapter

from shared.adapters.dynamodb.attributes import from_attribute, to_attribute
from shared.adapters.dynamodb.counters import (
    counting,
    counting_tenant,
    line_of,
    moving,
    refusal_of,
    still,
    tally_of,
    tenant_tally_of,
    watching,
)
from shared.adapters.dynamodb.items import current_item
from shared.adapters.dynamodb.keys import (
    DOCUMENT_PREFIX,
    KNOWLEDGE_BASE_PREFIX,
    base_partition,
    claim_key,
    document_key,
    due_shard,
    due_shards,
    key_of,
    knowledge_base_key,
    line_key,
    line_partition,
    tally_key,
    tenant_partition,
    tenant_tally_key,
    ticket_key,
    workspace_use_key,
)
from shared.adapters.dynamodb.revisioned_records import RevisionedRecords, unchanged, within
from shared.adapters.dynamodb.transactions import CollisionError, Refused, Transactions
from shared.adapters.dynamodb.workspace_use import using
from shared.kernel.ids import DocumentId, KnowledgeBaseId, TenantId
from shared.knowledge.errors import StaleWriteError
from shared.knowledge.models import (
    ContentClaim,
    Document,
    DocumentStatus,
    KnowledgeBase,
    Line,
    Tally,
    TenantTally,
    Ticket,
)
from shared.knowledge.ports import (
    Check,
    CheckTally,
    Count,
    CountTenant,
    Due,
    Enter,
    EnterWorkspace,
    Leave,
    LeaveWorkspace,
    MoveInLine,
    Put,
    Record,
    Remove,
    WatchLine,
    Write,
)

_KNOWLEDGE_BASE: Final = TypeAdapter(KnowledgeBase)
_DOCUMENT: Final = TypeAdapter(Document)
_CLAIM: Final = TypeAdapter(ContentClaim)

_KEEP_EXPIRED: Final = timedelta(days=30)


class DynamoRecords:
    """Implements `DocumentRepository` and `DueRecords`."""

    def __init__(self, transactions: Transactions, table: str) -> None:
        self._transactions = transactions
        self._client = transactions.client
        self._table = table
        self._records = RevisionedRecords(transactions.client, table)

    async def knowledge_base(self, tenant: TenantId, kb_id: KnowledgeBaseId) -> KnowledgeBase | None:
        return await self._records.get(knowledge_base_key(tenant, kb_id), _KNOWLEDGE_BASE)

    async def knowledge_bases(
        self, tenant: TenantId, limit: int, after: KnowledgeBaseId | None = None
    ) -> list[KnowledgeBase]:
        start = None if after is None else knowledge_base_key(tenant, after)
        return await self._records.query(
            within(tenant_partition(tenant), KNOWLEDGE_BASE_PREFIX), limit, start, _KNOWLEDGE_BASE
        )

    async def document(self, tenant: TenantId, kb_id: KnowledgeBaseId, document_id: DocumentId) -> Document | None:
        return await self._records.get(document_key(tenant, kb_id, document_id), _DOCUMENT)

    async def documents(
        self, tenant: TenantId, kb_id: KnowledgeBaseId, limit: int, after: DocumentId | None = None
    ) -> list[Document]:
        start = None if after is None else document_key(tenant, kb_id, after)
        return await self._records.query(
            within(base_partition(tenant, kb_id), DOCUMENT_PREFIX), limit, start, _DOCUMENT
        )

    async def claim(self, tenant: TenantId, kb_id: KnowledgeBaseId, sha256: str) -> ContentClaim | None:
        return await self._records.get(claim_key(tenant, kb_id, sha256), _CLAIM)

    async def tally(self, tenant: TenantId, kb_id: KnowledgeBaseId) -> Tally:
        return tally_of(await self._item(tally_key(tenant, kb_id)))

    async def tenant_tally(self, tenant: TenantId) -> TenantTally:
        return tenant_tally_of(await self._item(tenant_tally_key(tenant)))

    async def line(self, tenant: TenantId) -> Line:
        return line_of(await self._item(line_key(tenant)))

    async def waiting(self, tenant: TenantId, limit: int) -> list[Ticket]:
        answer = await asyncio.to_thread(
            self._client.query,
            TableName=self._table,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": line_partition(tenant)}},
            ConsistentRead=True,
            Limit=limit,
        )
        return [
            Ticket(item["sk"]["S"], KnowledgeBaseId(item["kb_id"]["S"]), DocumentId(item["document_id"]["S"]))
            for item in answer["Items"]
        ]

    async def commit(self, tenant: TenantId, writes: Sequence[Write]) -> None:
        if any(isinstance(write, Put | Check | Remove) and write.record.tenant != tenant for write in writes):
            raise ValueError("A commit speaks of one tenant only.")
        actions = [self._action(tenant, write) for write in writes]
        try:
            refused = await self._send(tenant, _resources_of(writes), actions)
        except CollisionError:
            raise _stale() from None
        if refused:
            raise _refusal([(writes[index], item) for index, item in refused.items()])

    async def due_records(self, now: datetime, limit: int) -> AsyncIterator[Due]:
        left = limit
        for shard in due_shards():
            if left <= 0:
                return
            answer = await asyncio.to_thread(
                self._client.query,
                TableName=self._table,
                IndexName="due",
                KeyConditionExpression="due_shard = :shard AND due_at <= :now",
                ExpressionAttributeValues={":shard": {"S": shard}, ":now": {"N": str(_milliseconds(now))}},
                Limit=left,
            )
            for item in answer["Items"]:
                record = from_attribute(item["record"])
                yield Due(TenantId(record["tenant"]), record.get("kb_id"), record.get("document_id"))
            left -= len(answer["Items"])

    async def _send(self, tenant: TenantId, resources: Sequence[str], actions: Sequence[Any]) -> Refused:
        """Do all of `actions` or none; without resources nobody acts, and work only moves on."""
        if not resources:
            return await self._transactions.keep(actions)
        return await self._transactions.write(tenant, resources, actions)

    def _action(self, tenant: TenantId, write: Write) -> dict[str, Any]:
        match write:
            case Put(record=record):
                item = {**key_of(record), **_attributes(record)}
                return {"Put": {"TableName": self._table, "Item": item, **unchanged(record.revision)}}
            case Check(record):
                return {
                    "ConditionCheck": {"TableName": self._table, "Key": key_of(record), **unchanged(record.revision)}
                }
            case Remove(record):
                return {"Delete": {"TableName": self._table, "Key": key_of(record), **unchanged(record.revision)}}
            case Count():
                return self._counter("Update", tally_key(tenant, write.kb_id), counting(write))
            case CheckTally(kb_id, tally):
                return self._counter("ConditionCheck", tally_key(tenant, kb_id), still(tally))
            case CountTenant():
                return self._counter("Update", tenant_tally_key(tenant), counting_tenant(write))
            case EnterWorkspace() | LeaveWorkspace():
                return self._counter("Update", workspace_use_key(tenant, write.workspace_id), using(write))
            case MoveInLine():
                return self._counter("Update", line_key(tenant), moving(tenant, write))
            case WatchLine():
                return self._counter("Update", line_key(tenant), watching(tenant, write))
            case Enter(ticket):
                item = {
                    **ticket_key(tenant, ticket.place),
                    "kb_id": {"S": str(ticket.kb_id)},
                    "document_id": {"S": str(ticket.document_id)},
                }
                return {"Put": {"TableName": self._table, "Item": item}}
            case Leave(place):
                return {"Delete": {"TableName": self._table, "Key": ticket_key(tenant, place)}}

    def _counter(self, verb: str, key: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
        """A refused counter answers with what it holds, so a refusal can say how much is in use."""
        refusal = {"ReturnValuesOnConditionCheckFailure": "ALL_OLD"} if "ConditionExpression" in change else {}
        return {verb: {"TableName": self._table, "Key": key, **change, **refusal}}

    async def _item(self, key: dict[str, Any]) -> dict[str, Any]:
        return await current_item(self._client, self._table, key) or {}


def _resources_of(writes: Sequence[Write]) -> list[str]:
    """Return what a commit changes that somebody asked for or will see, as routes name it."""
    return [
        resource
        for write in writes
        if isinstance(write, Remove) or (isinstance(write, Put) and not write.is_progress)
        if (resource := _resource(write.record)) is not None
    ]


def _resource(record: Record) -> str | None:
    match record:
        case KnowledgeBase():
            return f"knowledge-bases/{record.kb_id}"
        case Document():
            return f"knowledge-bases/{record.kb_id}/documents/{record.document_id}"
        case ContentClaim():
            return None  # Written with the documents that it is about.


def _attributes(record: Record) -> dict[str, Any]:
    following = replace(record, revision=record.revision + 1)
    attributes: dict[str, Any] = {"revision": {"N": str(following.revision)}}
    match following:
        case KnowledgeBase():
            dump: Callable[..., Any] = _KNOWLEDGE_BASE.dump_python
            due, name = following.due, str(following.kb_id)
        case Document():
            dump = _DOCUMENT.dump_python
            due, name = following.due, str(following.document_id)
            live = {} if following.is_deleted else following.live
            attributes["live"] = to_attribute({index: served.generation for index, served in live.items()})
            if following.status is DocumentStatus.EXPIRED:
                attributes["expires_at"] = {"N": str(int((following.updated_at + _KEEP_EXPIRED).timestamp()))}
        case ContentClaim():
            dump = _CLAIM.dump_python
            due, name = None, ""
    attributes["record"] = to_attribute(dump(following, mode="json"))
    if due is not None:
        attributes |= {"due_shard": {"S": due_shard(name)}, "due_at": {"N": str(_milliseconds(due))}}
    return attributes


def _refusal(failed: Sequence[tuple[Write, dict[str, Any]]]) -> Exception:
    """Return what it means that the conditions of `failed` did not hold, each with the item that it met."""
    refusals = [refusal_of(write, item) for write, item in failed]
    # A stale record outweighs every limit: who reads again may find that the limit is no question any more.
    limits = [refusal for refusal in refusals if refusal is not None]
    return limits[0] if len(limits) == len(refusals) else _stale()


def _stale() -> StaleWriteError:
    return StaleWriteError("The record changed meanwhile. Read it again and try again.")


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
