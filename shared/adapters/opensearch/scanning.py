"""Chunks as they were written, read back from an index page by page."""

import base64
import json
from collections.abc import Sequence
from typing import Any, ClassVar, Final

import numpy as np
from opensearchpy import OpenSearch

from shared.adapters.opensearch.filters import document_generation_key, item_id, scope_key
from shared.adapters.opensearch.layout import JsonObject
from shared.kernel.errors import Kind, TesseraError
from shared.kernel.tenants import AdmittedTenant
from shared.retrieval.chunk_stores import ChunkKey, StoredChunk
from shared.retrieval.ports import IndexedChunk, IndexUnavailableError, Scope

_ALREADY_GONE: Final = 404
_REFUSED: Final = 300


class ChunkNotCopyableError(TesseraError):
    """The chunk was written before chunks could be copied."""

    code: ClassVar[str] = "chunk-not-copyable"
    kind: ClassVar[Kind] = Kind.CONFLICT

    def __init__(self, document_id: str) -> None:
        super().__init__(
            "A chunk was written by a release that kept no copy of its vector. Re-index its knowledge base first.",
            document=document_id,
        )


def count_chunks(client: OpenSearch, index: str, tenant: AdmittedTenant) -> int:
    answer: dict[str, Any] = client.count(
        index=index,
        body={"query": _all_of(tenant)},
        params={"routing": tenant, "ignore_unavailable": "true"},
    )
    total: int = answer["count"]
    return total


def scan_chunks(
    client: OpenSearch, index: str, tenant: AdmittedTenant, after: ChunkKey | None, limit: int
) -> list[StoredChunk]:
    """Return chunks in the order of (scope's digest, chunk id). Raises: ChunkNotCopyableError."""
    body: JsonObject = {"size": limit, "query": _all_of(tenant), "sort": [{"scope": "asc"}, {"chunk_id": "asc"}]}
    if after is not None:
        body["search_after"] = [scope_key(tenant, after.scope), _chunk_id(after)]
    return _find(client, index, tenant, body)


def fetch_chunks(client: OpenSearch, index: str, tenant: AdmittedTenant, keys: Sequence[ChunkKey]) -> list[StoredChunk]:
    """Return what is there of `keys`. Raises: ChunkNotCopyableError."""
    query = _all_of(tenant)
    query["bool"]["filter"].append({"ids": {"values": [_id(tenant, key) for key in keys]}})
    return _find(client, index, tenant, {"size": len(keys), "query": query})


def remove_chunks(client: OpenSearch, index: str, tenant: AdmittedTenant, keys: Sequence[ChunkKey]) -> None:
    """Remove chunks, and let every later search know. Raises: IndexUnavailableError."""
    answer = client.bulk(
        body="".join(f"{json.dumps({'delete': {'_id': _id(tenant, key)}})}\n" for key in keys),
        params={"index": index, "routing": tenant, "refresh": "true"},
    )
    for item in answer["items"]:
        if item["delete"]["status"] >= _REFUSED and item["delete"]["status"] != _ALREADY_GONE:
            raise IndexUnavailableError("OpenSearch could not remove every chunk; try again later.")


def _all_of(tenant: AdmittedTenant) -> JsonObject:
    return {"bool": {"filter": [{"term": {"tenant": tenant}}]}}


def _find(client: OpenSearch, index: str, tenant: AdmittedTenant, body: JsonObject) -> list[StoredChunk]:
    answer = client.search(
        index=index,
        body={**body, "track_total_hits": False, "stored_fields": ["stored_vector", "_source"]},
        params={"routing": tenant, "ignore_unavailable": "true", "allow_partial_search_results": "false"},
    )
    return [_stored(found) for found in answer["hits"]["hits"]]


def _stored(found: dict[str, Any]) -> StoredChunk:
    source = found["_source"]
    if "stored_vector" not in found.get("fields", {}):
        raise ChunkNotCopyableError(source["document_id"])
    (vector,) = found["fields"]["stored_vector"]
    return StoredChunk(
        Scope(source["kb_id"], source["index_generation"]),
        IndexedChunk(
            document_id=source["document_id"],
            generation=source["generation"],
            ordinal=source["ordinal"],
            start=source["start"],
            end=source["end"],
            page=source["page"],
            title=source["title"],
            context=source["context"],
            text=source["text"],
            vector=np.frombuffer(base64.b64decode(vector), dtype="<f4"),
            metadata=json.loads(source["metadata"]),
        ),
    )


def _chunk_id(key: ChunkKey) -> str:
    return f"{document_generation_key(key.document_id, key.generation)}.{key.ordinal}"


def _id(tenant: AdmittedTenant, key: ChunkKey) -> str:
    return item_id(scope_key(tenant, key.scope), _chunk_id(key))
