"""Chunks as the records that a move copies and compares."""

import base64
import hashlib
import json
from typing import Final

import numpy as np

from shared.cells.ports import Entry, Record
from shared.kernel.ids import DocumentId, KnowledgeBaseId
from shared.retrieval.chunk_stores import ChunkKey, StoredChunk
from shared.retrieval.ports import IndexedChunk, Scope

WRITTEN: Final = 1
"""A chunk has one version: another content of a document has another generation, and so another key."""

_SEPARATOR: Final = "#"


def text_of(key: ChunkKey) -> str:
    parts = (key.scope.kb_id, key.scope.index_generation, key.document_id, key.generation, key.ordinal)
    return _SEPARATOR.join(map(str, parts))


def key_of(text: str) -> ChunkKey:
    kb_id, index_generation, document_id, generation, ordinal = text.split(_SEPARATOR)
    scope = Scope(KnowledgeBaseId(kb_id), int(index_generation))
    return ChunkKey(scope, DocumentId(document_id), int(generation), int(ordinal))


def record_of(stored: StoredChunk) -> Record:
    return Record(text_of(stored.key), WRITTEN, _encode(stored.chunk))


def entry_of(stored: StoredChunk) -> Entry:
    """Return the chunk's entry: its digest covers text, place, metadata and every bit of the vector."""
    digest = hashlib.blake2b(_encode(stored.chunk), digest_size=32).hexdigest()
    return Entry(text_of(stored.key), WRITTEN, digest)


def chunk_of(record: Record) -> StoredChunk:
    """Return what `record_of` made a record of. Raises: ValueError for a record without a value."""
    if record.value is None:
        raise ValueError(f"{record.key} says that a chunk was deleted; chunks leave no such record.")
    key, facts = key_of(record.key), json.loads(record.value)
    vector = np.frombuffer(base64.b64decode(facts.pop("vector")), dtype="<f4")
    return StoredChunk(key.scope, IndexedChunk(key.document_id, key.generation, key.ordinal, vector=vector, **facts))


def _encode(chunk: IndexedChunk) -> bytes:
    facts = {
        "start": chunk.start,
        "end": chunk.end,
        "page": chunk.page,
        "title": chunk.title,
        "context": chunk.context,
        "text": chunk.text,
        "vector": base64.b64encode(chunk.vector.astype("<f4").tobytes()).decode("ascii"),
        "metadata": dict(chunk.metadata),
    }
    return json.dumps(facts, sort_keys=True).encode()
