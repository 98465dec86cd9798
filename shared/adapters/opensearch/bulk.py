"""Writing many chunks: cut to size, every item's answer looked at."""

import base64
import json
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar, Final

import numpy as np
from opensearchpy import OpenSearch

from shared.adapters.opensearch.filters import document_generation_key, item_id, scope_key
from shared.adapters.opensearch.layout import JsonObject
from shared.kernel.errors import Kind, TesseraError
from shared.kernel.tenants import AdmittedTenant
from shared.retrieval.keywords import indexed_terms
from shared.retrieval.metadata_terms import terms_of
from shared.retrieval.ports import IndexedChunk, IndexUnavailableError, Scope

MOST_BYTES: Final = 4_000_000
"""Small domains refuse bodies above 10 MiB."""

PAUSES_S: Final = (0.2, 1.0, 3.0)
"""Before each further attempt for the items that the node was too busy for."""

VECTOR_DECIMALS: Final = 8
"""A number of a unit vector to within 5e-9, in half the characters that Python writes."""

_BUSY: Final = frozenset({429, 502, 503, 504})
_NOT_FOUND: Final = 404

Action = tuple[str, str]
"""The two lines of one item."""


class ChunkRefusedError(TesseraError):
    """OpenSearch will never take this chunk."""

    code: ClassVar[str] = "chunk-refused"
    kind: ClassVar[Kind] = Kind.INVALID


def write_chunks(
    client: OpenSearch,
    index: str,
    tenant: AdmittedTenant,
    scope: Scope,
    chunks: Sequence[IndexedChunk],
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Index every chunk under an id made of its identity. Raises: IndexUnavailableError, ChunkRefusedError."""
    for batch in _batches(_action(tenant, scope, chunk) for chunk in chunks):
        waiting = batch
        for pause_s in (*PAUSES_S, None):
            waiting = _send(client, index, tenant, waiting)
            if not waiting:
                break
            if pause_s is None:
                raise IndexUnavailableError(f"OpenSearch was too busy for {len(waiting)} chunks; try again later.")
            sleep(pause_s)


def _send(client: OpenSearch, index: str, tenant: AdmittedTenant, batch: list[Action]) -> list[Action]:
    """Send one bulk request; return the items to send again. A bulk answers 200 whatever happens to its items."""
    answer = client.bulk(
        body="".join(f"{head}\n{source}\n" for head, source in batch),
        params={"index": index, "routing": tenant, "require_alias": "true"},
    )
    if not answer["errors"]:
        return []
    again = []
    for action, item in zip(batch, answer["items"], strict=True):
        result: dict[str, Any] = item["index"]
        if result["status"] in _BUSY:
            again.append(action)
        elif result["status"] == _NOT_FOUND:
            raise IndexUnavailableError("The index is gone; it is made again when the same write is tried again.")
        elif "error" in result:
            reason = f"{result['error']['type']}: {result['error']['reason']}"
            raise ChunkRefusedError(f"OpenSearch refused a chunk ({reason}).", chunk=str(result["_id"]))
    return again


def _batches(actions: Iterator[Action]) -> Iterator[list[Action]]:
    batch: list[Action] = []
    size = 0
    for action in actions:
        length = len(action[0]) + len(action[1])
        if batch and size + length > MOST_BYTES:
            yield batch
            batch, size = [], 0
        batch.append(action)
        size += length
    if batch:
        yield batch


def _action(tenant: AdmittedTenant, scope: Scope, chunk: IndexedChunk) -> Action:
    key = scope_key(tenant, scope)
    document_generation = document_generation_key(chunk.document_id, chunk.generation)
    chunk_id = f"{document_generation}.{chunk.ordinal}"
    terms = indexed_terms(chunk.context, chunk.text)
    source: JsonObject = {
        "tenant": tenant,
        "scope": key,
        "kb_id": scope.kb_id,
        "index_generation": scope.index_generation,
        "document_id": chunk.document_id,
        "document_generation": document_generation,
        "chunk_id": chunk_id,
        "generation": chunk.generation,
        "ordinal": chunk.ordinal,
        "start": chunk.start,
        "end": chunk.end,
        "page": chunk.page,
        "title": chunk.title,
        "context": chunk.context,
        "text": chunk.text,
        "metadata": json.dumps(dict(chunk.metadata)),
        "metadata_terms": terms_of(chunk.metadata),
        "length": len(terms),
        "terms": " ".join(terms),
        "stored_vector": base64.b64encode(chunk.vector.astype("<f4").tobytes()).decode("ascii"),
        "vector": np.round(chunk.vector.astype(np.float64), VECTOR_DECIMALS).tolist(),
    }
    return json.dumps({"index": {"_id": item_id(key, chunk_id)}}), json.dumps(source)
