"""How the index is laid out: fields, similarity, vectors, shards."""

from dataclasses import dataclass
from typing import Any, Final

from shared.adapters.opensearch.scoring import SCRIPT, SIMILARITY
from shared.kernel.ids import TenantId

JsonObject = dict[str, Any]

HNSW: Final = {"m": 16, "ef_construction": 256}
EF_SEARCH: Final = 64
"""Candidates that a vector search keeps at least; with Lucene's engine this is a lower bound of k."""

REFRESH_INTERVAL: Final = "10s"
"""Nobody waits for it: publishing refreshes by itself."""

_KEPT: Final = (
    "kb_id", "index_generation", "document_id", "generation", "ordinal", "start", "end", "page", "title", "context",
    "text", "metadata",
)  # fmt: skip
"""What a hit and a copy are made of; terms are searched and can be made again from the text."""


@dataclass(frozen=True, slots=True)
class IndexLayout:
    """One physical index behind the alias `name`: one embedding model in one cell (row K6).

    A tenant lives in one shard (routing). `replicas` is the number of further copies; a write needs the majority.
    `tenant` names the only tenant of an index of its own.
    """

    name: str
    dimensions: int
    shards: int = 2
    replicas: int = 1
    tenant: TenantId | None = None

    @property
    def physical_name(self) -> str:
        """The index itself; a later layout gets another number, and the alias moves."""
        return f"{self.name}-1"

    def to_body(self) -> JsonObject:
        return {"settings": {"index": self._settings()}, "mappings": self._mappings(), "aliases": {self.name: {}}}

    @staticmethod
    def copied_fields() -> JsonObject:
        """The fields by which a chunk can be copied to another cell, for indexes that were made without them.

        The vector once more, as bytes (base64 of float32, little-endian): of the searchable one nothing can be read.
        """
        return {
            "kb_id": {"type": "keyword", "index": False, "doc_values": False},
            "index_generation": {"type": "integer", "index": False, "doc_values": False},
            "stored_vector": {"type": "binary", "store": True},
        }

    def _settings(self) -> JsonObject:
        return {
            "knn": True,
            "number_of_shards": self.shards,
            "number_of_replicas": self.replicas,
            "write": {"wait_for_active_shards": str((self.replicas + 1) // 2 + 1)},
            "refresh_interval": REFRESH_INTERVAL,
            "similarity": {SIMILARITY: {"type": "scripted", "script": {"source": SCRIPT}}},
        }

    def _mappings(self) -> JsonObject:
        searched = {"type": "keyword"}
        kept_number = {"type": "integer", "index": False, "doc_values": False}
        kept_text = {"type": "text", "index": False}
        return {
            # Users' metadata never becomes a field: it is a list of terms, whatever its names and types.
            "dynamic": "strict",
            "_routing": {"required": True},
            "_source": {"includes": list(_KEPT)},
            "properties": {
                "tenant": searched,
                **self.copied_fields(),
                "scope": searched,
                "document_id": searched,
                "document_generation": searched,
                "chunk_id": {"type": "keyword", "index": False},
                "generation": kept_number,
                "ordinal": {"type": "integer"},
                "start": kept_number,
                "end": kept_number,
                "page": kept_number,
                "title": kept_text,
                "context": kept_text,
                "text": kept_text,
                "metadata": kept_text,
                "metadata_terms": searched,
                "length": {"type": "integer", "index": False},
                "terms": {
                    "type": "text",
                    "analyzer": "whitespace",
                    "index_options": "freqs",
                    "similarity": SIMILARITY,
                },
                "vector": {
                    "type": "knn_vector",
                    "dimension": self.dimensions,
                    "method": {"name": "hnsw", "engine": "lucene", "space_type": "cosinesimil", "parameters": HNSW},
                },
            },
        }
