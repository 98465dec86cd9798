"""The chunk index in OpenSearch (K6, K7): one index for many tenants, filters inside both legs."""

import asyncio
import json
import threading
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

from opensearchpy import OpenSearch
from opensearchpy.exceptions import RequestError

from shared.adapters.opensearch import scanning
from shared.adapters.opensearch.bulk import write_chunks
from shared.adapters.opensearch.client import translated_failures
from shared.adapters.opensearch.counting import ScopeCounter
from shared.adapters.opensearch.filters import document_generation_key, filter_of
from shared.adapters.opensearch.layout import EF_SEARCH, IndexLayout, JsonObject
from shared.kernel.ids import DocumentId, Generation, TenantId
from shared.kernel.tenants import AdmittedTenant, admitted
from shared.retrieval.chunk_stores import ChunkKey, StoredChunk
from shared.retrieval.fields import Condition
from shared.retrieval.keywords import query_terms
from shared.retrieval.ports import Hit, IndexedChunk, IndexUnavailableError, ReadBack, Scope, Vector

MOST_CHUNKS_PER_WRITE: Final = 1000
MOST_HITS: Final = 4000
TIED_NEIGHBOURS: Final = 16
"""Neighbours found beyond the limit, so that those tied at its edge are ordered by chunk id."""

DELETIONS_PER_REQUEST: Final = 5000
DELETE_TIMEOUT_S: Final = 60.0
MOST_CONFLICTS: Final = 10

_BEST_FIRST: Final = [{"_score": "desc"}, {"chunk_id": "asc"}]

Result = TypeVar("Result")


class OpenSearchChunkIndex:
    """A `ChunkIndex` behind one alias, which is created with the first write.

    `client` comes from `connect`; threads share it. Searches read one shard (routing by tenant) and fail rather than
    answer in part.
    """

    def __init__(self, client: OpenSearch, layout: IndexLayout) -> None:
        self._client = client
        self._layout = layout
        self._counter = ScopeCounter(client, layout.name)
        self._creating = threading.Lock()
        self._exists = False

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    async def write(self, tenant: TenantId, scope: Scope, chunks: Sequence[IndexedChunk]) -> None:
        own = admitted(tenant)
        if len(chunks) > MOST_CHUNKS_PER_WRITE:
            raise ValueError(f"{len(chunks)} chunks in one write; {MOST_CHUNKS_PER_WRITE} are the most.")
        for chunk in chunks:
            self._check_dimensions(chunk.vector)
        if chunks:
            await self._run(lambda: self._write(own, scope, chunks))

    async def refresh(self, tenant: TenantId, scope: Scope) -> None:
        self._counter.forget(admitted(tenant), scope)
        await self._run(self._refresh)

    async def read_back(
        self, tenant: TenantId, scope: Scope, document_id: DocumentId, generation: Generation, last_ordinal: int
    ) -> ReadBack:
        own = admitted(tenant)
        ordinals = {"first": {"term": {"ordinal": 0}}, "last": {"term": {"ordinal": last_ordinal}}}
        answer = await self._search(
            own,
            {
                "size": 0,
                "track_total_hits": True,
                "query": _all_of(own, scope, document_id, generation),
                "aggs": {"ordinals": {"filters": {"filters": ordinals}}},
            },
        )
        if "aggregations" not in answer:
            return ReadBack(0, has_first=False, has_last=False)
        found = answer["aggregations"]["ordinals"]["buckets"]
        return ReadBack(
            answer["hits"]["total"]["value"],
            has_first=found["first"]["doc_count"] > 0,
            has_last=found["last"]["doc_count"] > 0,
        )

    async def search_keyword(
        self,
        tenant: TenantId,
        scope: Scope,
        query: str,
        limit: int,
        conditions: Sequence[Condition] = (),
        without: Sequence[tuple[DocumentId, Generation]] = (),
    ) -> list[Hit]:
        own = admitted(tenant)
        _check_limit(limit)
        asked = query_terms(query)
        if not asked:
            return []
        permitted = filter_of(own, scope, conditions, without)
        counts = await self._run(lambda: self._counter.counts(own, scope, asked))
        scored = [
            {"term": {"terms": {"value": term, "boost": counts.boost(term, times)}}} for term, times in asked.items()
        ]
        permitted["bool"] |= {"should": scored, "minimum_should_match": 1}
        body: JsonObject = {"size": limit + TIED_NEIGHBOURS, "track_total_hits": False, "query": permitted}
        hits = await self._scored(own, body)
        if len(hits) == limit + TIED_NEIGHBOURS and hits[limit - 1].score == hits[-1].score:
            # More chunks share the last score than were fetched: only the node knows which of them come first.
            hits = await self._scored(own, body | {"size": limit, "track_scores": True, "sort": _BEST_FIRST})
        return hits[:limit]

    async def _scored(self, tenant: AdmittedTenant, body: JsonObject) -> list[Hit]:
        """Return what `body` finds, sorted here: asked of the node, a sort costs the skipping of weak chunks."""
        answer = await self._search(tenant, body)
        hits = [_hit(found, found["_score"]) for found in answer["hits"]["hits"]]
        return sorted(hits, key=lambda hit: (-hit.score, hit.chunk_id))

    async def search_vector(
        self,
        tenant: TenantId,
        scope: Scope,
        vector: Vector,
        limit: int,
        conditions: Sequence[Condition] = (),
        without: Sequence[tuple[DocumentId, Generation]] = (),
    ) -> list[Hit]:
        own = admitted(tenant)
        _check_limit(limit)
        self._check_dimensions(vector)
        neighbours = {
            "vector": vector.tolist(),
            "k": max(limit + TIED_NEIGHBOURS, EF_SEARCH),
            "filter": filter_of(own, scope, conditions, without),
        }
        # Sorted here: asked of the node, a second sort key makes this search half as slow again.
        body = {"size": limit + TIED_NEIGHBOURS, "track_total_hits": False, "query": {"knn": {"vector": neighbours}}}
        answer = await self._search(own, body)
        # Lucene scores (1 + cosine) / 2, since its scores cannot be negative.
        hits = [_hit(found, 2 * found["_score"] - 1) for found in answer["hits"]["hits"]]
        return sorted(hits, key=lambda hit: (-hit.score, hit.chunk_id))[:limit]

    async def delete_document_generation(
        self, tenant: TenantId, scope: Scope, document_id: DocumentId, generation: Generation
    ) -> int:
        own = admitted(tenant)
        return await self._run(lambda: self._delete(own, scope, _all_of(own, scope, document_id, generation)))

    async def delete_scope(self, tenant: TenantId, scope: Scope) -> None:
        own = admitted(tenant)
        await self._run(lambda: self._delete(own, scope, filter_of(own, scope)))

    async def count(self, tenant: TenantId) -> int:
        own = admitted(tenant)
        return await self._run_refreshed(lambda: scanning.count_chunks(self._client, self._layout.name, own))

    async def scan(self, tenant: TenantId, after: ChunkKey | None, limit: int) -> list[StoredChunk]:
        own = admitted(tenant)
        return await self._run_refreshed(
            lambda: scanning.scan_chunks(self._client, self._layout.name, own, after, limit)
        )

    async def fetch(self, tenant: TenantId, keys: Sequence[ChunkKey]) -> list[StoredChunk]:
        own = admitted(tenant)
        if not keys:
            return []
        return await self._run_refreshed(
            lambda: scanning.fetch_chunks(self._client, self._layout.name, own, list(dict.fromkeys(keys)))
        )

    async def remove(self, tenant: TenantId, keys: Sequence[ChunkKey]) -> None:
        own = admitted(tenant)

        def call() -> None:
            if self._client.indices.exists_alias(name=self._layout.name):
                scanning.remove_chunks(self._client, self._layout.name, own, list(dict.fromkeys(keys)))

        if keys:
            await self._run(call)
        for scope in {key.scope for key in keys}:
            self._counter.forget(own, scope)

    async def vacate(self, tenant: TenantId) -> None:
        """Remove the index if it is the tenant's own; a shared one holds nothing for one tenant alone."""
        if self._layout.tenant == admitted(tenant):
            await self._run(
                lambda: self._client.indices.delete(
                    index=self._layout.physical_name, params={"ignore_unavailable": "true"}
                )
            )
            self._exists = False

    async def _run(self, call: Callable[[], Result]) -> Result:
        with translated_failures():
            return await asyncio.to_thread(call)

    async def _run_refreshed(self, call: Callable[[], Result]) -> Result:
        """Run `call` when all finished writes can be found."""

        def refreshed() -> Result:
            self._refresh()
            return call()

        return await self._run(refreshed)

    async def _search(self, tenant: AdmittedTenant, body: JsonObject) -> dict[str, Any]:
        def call() -> dict[str, Any]:
            answer: dict[str, Any] = self._client.search(
                index=self._layout.name,
                body=body,
                params={
                    "routing": tenant,
                    # Before the first write there is no index, which is the same as an empty one.
                    "ignore_unavailable": "true",
                    "allow_partial_search_results": "false",
                },
            )
            return answer

        return await self._run(call)

    def _write(self, tenant: AdmittedTenant, scope: Scope, chunks: Sequence[IndexedChunk]) -> None:
        self._ensure_index()
        # The last of two chunks with one identity counts, as with two writes.
        unique = {(chunk.document_id, chunk.generation, chunk.ordinal): chunk for chunk in chunks}
        try:
            write_chunks(self._client, self._layout.name, tenant, scope, list(unique.values()))
        except IndexUnavailableError:
            self._exists = False  # perhaps somebody removed it: look again before the next write
            raise
        self._counter.forget(tenant, scope)

    def _refresh(self) -> None:
        self._client.indices.refresh(index=self._layout.name, params={"ignore_unavailable": "true"})

    def _delete(self, tenant: AdmittedTenant, scope: Scope, query: JsonObject) -> int:
        """Delete what `query` finds, in requests that end in time, until nothing is found any more."""
        deleted: int = 0
        conflicts = 0
        while True:
            # What is not refreshed is not found, and would outlive its deletion.
            self._refresh()
            answer: dict[str, Any] = self._client.delete_by_query(
                index=self._layout.name,
                body={"query": query},
                params={
                    "routing": tenant,
                    "conflicts": "proceed",
                    "refresh": "true",
                    "max_docs": DELETIONS_PER_REQUEST,
                    "ignore_unavailable": "true",
                    "request_timeout": DELETE_TIMEOUT_S,
                },
            )
            deleted += answer["deleted"]
            if answer["failures"]:
                raise IndexUnavailableError("OpenSearch could not delete every chunk; try again later.")
            if answer["version_conflicts"]:
                conflicts += 1
                if conflicts > MOST_CONFLICTS:
                    raise IndexUnavailableError("The chunks are being written while they are deleted; try again later.")
            elif answer["deleted"] < DELETIONS_PER_REQUEST:
                self._counter.forget(tenant, scope)
                return deleted

    def _ensure_index(self) -> None:
        if self._exists:
            return
        with self._creating:
            if self._client.indices.exists_alias(name=self._layout.name):
                # Perhaps an earlier release made it; fields that are there already stay as they are.
                self._client.indices.put_mapping(
                    index=self._layout.name, body={"properties": self._layout.copied_fields()}
                )
            else:
                try:
                    self._client.indices.create(index=self._layout.physical_name, body=self._layout.to_body())
                except RequestError as error:
                    if error.error != "resource_already_exists_exception":  # another process was faster
                        raise
            self._exists = True

    def _check_dimensions(self, vector: Vector) -> None:
        if len(vector) != self._layout.dimensions:
            raise ValueError(f"A vector of {len(vector)} numbers among vectors of {self._layout.dimensions}.")


def _all_of(tenant: AdmittedTenant, scope: Scope, document_id: DocumentId, generation: Generation) -> JsonObject:
    query = filter_of(tenant, scope)
    query["bool"]["filter"].append({"term": {"document_generation": document_generation_key(document_id, generation)}})
    return query


def _check_limit(limit: int) -> None:
    if not 1 <= limit <= MOST_HITS:
        raise ValueError(f"A limit of {limit}; 1 to {MOST_HITS} hits can be asked for.")


def _hit(found: dict[str, Any], score: float) -> Hit:
    source = found["_source"]
    return Hit(
        document_id=source["document_id"],
        generation=source["generation"],
        ordinal=source["ordinal"],
        start=source["start"],
        end=source["end"],
        page=source["page"],
        title=source["title"],
        context=source["context"],
        text=source["text"],
        score=score,
        metadata=json.loads(source["metadata"]),
    )
