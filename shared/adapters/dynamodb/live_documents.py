"""What searches and answers ask of the records: which generation is live, how a base is asked now (invariant 2)."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final

from shared.adapters.dynamodb.attributes import from_attribute
from shared.adapters.dynamodb.keys import DOCUMENT_PREFIX, document_key
from shared.adapters.dynamodb.records import DynamoRecords
from shared.adapters.dynamodb.transactions import Transactions
from shared.kernel.ids import DocumentId, Generation, IndexGeneration, KnowledgeBaseId, TenantId
from shared.knowledge.errors import KnowledgeBaseNotFoundError, RetryLaterError
from shared.knowledge.models import KnowledgeBase
from shared.retrieval.ports import Scope, SearchScope

_BATCH: Final = 100
"""As many keys as DynamoDB reads at once."""

_TRIES: Final = 6
_PAUSE_S: Final = 0.02


class DynamoLiveDocuments:
    """Implements `LiveDocuments`, `SearchScopes` and `AnswerSettings`: strongly consistent reads of base-table keys."""

    def __init__(self, transactions: Transactions, table: str) -> None:
        self._client = transactions.client
        self._table = table
        self._records = DynamoRecords(transactions, table)

    async def scope_of(self, tenant: TenantId, kb_id: KnowledgeBaseId) -> SearchScope:
        base = await self._served(tenant, kb_id)
        return SearchScope(Scope(kb_id, base.serving), base.config.vector_weight, base.config.metadata_fields)

    async def minimum_confidence(self, tenant: TenantId, kb_id: KnowledgeBaseId) -> float:
        return (await self._served(tenant, kb_id)).config.minimum_confidence

    async def _served(self, tenant: TenantId, kb_id: KnowledgeBaseId) -> KnowledgeBase:
        base = await self._records.knowledge_base(tenant, kb_id)
        if base is None or base.deleted_at is not None:
            raise KnowledgeBaseNotFoundError("There is no such knowledge base. List yours with GET /knowledge-bases.")
        return base

    async def live_generations(
        self,
        tenant: TenantId,
        kb_id: KnowledgeBaseId,
        index_generation: IndexGeneration,
        document_ids: Sequence[DocumentId],
    ) -> Mapping[DocumentId, Generation]:
        batches = [document_ids[start : start + _BATCH] for start in range(0, len(document_ids), _BATCH)]
        found = await asyncio.gather(*(self._read(tenant, kb_id, index_generation, batch) for batch in batches))
        return {document_id: generation for part in found for document_id, generation in part.items()}

    async def _read(
        self, tenant: TenantId, kb_id: KnowledgeBaseId, index_generation: IndexGeneration, batch: Sequence[DocumentId]
    ) -> dict[DocumentId, Generation]:
        name = str(index_generation)
        wanted: Any = {
            "Keys": [document_key(tenant, kb_id, document_id) for document_id in batch],
            "ConsistentRead": True,
            "ProjectionExpression": "sk, live.#index",
            "ExpressionAttributeNames": {"#index": name},
        }
        live: dict[DocumentId, Generation] = {}
        for attempt in range(_TRIES):
            answer = await asyncio.to_thread(self._client.batch_get_item, RequestItems={self._table: wanted})
            for item in answer["Responses"].get(self._table, []):
                served = from_attribute(item["live"]) if "live" in item else {}
                if name in served:
                    live[DocumentId(item["sk"]["S"].removeprefix(DOCUMENT_PREFIX))] = served[name]
            left = answer.get("UnprocessedKeys", {}).get(self._table)
            if left is None:
                return live
            wanted = {**wanted, "Keys": left["Keys"]}
            await asyncio.sleep(_PAUSE_S * 2**attempt)
        raise RetryLaterError("The documents could not be checked just now. Search again.", retry_after_s=1)
