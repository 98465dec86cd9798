"""Chunks as they were written, read back from the file page by page."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import apsw
import numpy as np

from shared.adapters.sqlite.schema import vector_table
from shared.adapters.sqlite.writing import Number, StoredScope, find_scope, remove_chunks
from shared.kernel.tenants import AdmittedTenant
from shared.retrieval.chunk_stores import ChunkKey, StoredChunk
from shared.retrieval.ports import IndexedChunk, Scope

_CHUNK = (
    'c.document_id, c.generation, c.ordinal, c.start, c."end", c.page, c.title, c.context, c.text, c.metadata, '
    "v.embedding"
)
_IDENTITY = "c.scope = ? AND c.document_id = ? AND c.generation = ? AND c.ordinal = ?"


def count_chunks(connection: apsw.Connection, tenant: AdmittedTenant) -> int:
    total: int = connection.execute("SELECT total(chunks) FROM scopes WHERE tenant = ? AND dropped = 0", (tenant,)).get
    return int(total)


def scan_chunks(
    connection: apsw.Connection, tenant: AdmittedTenant, after: ChunkKey | None, limit: int
) -> list[StoredChunk]:
    """Return chunks in the order of (base, index generation, document, generation, ordinal)."""
    found: list[StoredChunk] = []
    for scope, stored in _scopes_from(connection, tenant, after):
        is_first = after is not None and scope == after.scope
        start = (after.document_id, after.generation, after.ordinal) if is_first and after else ("", 0, -1)
        rows = connection.execute(
            f"SELECT {_CHUNK} FROM chunks c CROSS JOIN {vector_table(stored.dimensions)} v ON v.chunk = c.id "
            "WHERE c.scope = ? AND (c.document_id, c.generation, c.ordinal) > (?, ?, ?) "
            "ORDER BY c.document_id, c.generation, c.ordinal LIMIT ?",
            (stored.id, *start, limit - len(found)),
        )
        found.extend(_stored(scope, row) for row in rows)
        if len(found) == limit:
            break
    return found


def fetch_chunks(connection: apsw.Connection, tenant: AdmittedTenant, keys: Sequence[ChunkKey]) -> list[StoredChunk]:
    found: list[StoredChunk] = []
    for scope, group in _by_scope(keys):
        stored = find_scope(connection, tenant, scope)
        if stored is None:
            continue
        sql = (
            f"SELECT {_CHUNK} FROM chunks c CROSS JOIN {vector_table(stored.dimensions)} v ON v.chunk = c.id "
            f"WHERE {_IDENTITY}"
        )
        for key in group:
            rows = connection.execute(sql, (stored.id, key.document_id, key.generation, key.ordinal))
            found.extend(_stored(scope, row) for row in rows)
    return found


def remove_keys(connection: apsw.Connection, tenant: AdmittedTenant, keys: Sequence[ChunkKey]) -> None:
    for scope, group in _by_scope(keys):
        stored = find_scope(connection, tenant, scope)
        if stored is None:
            continue
        numbers: list[Number] = [
            number
            for key in group
            for number in connection.execute(
                f"SELECT c.id FROM chunks c WHERE {_IDENTITY}",
                (stored.id, key.document_id, key.generation, key.ordinal),
            )
        ]
        remove_chunks(connection, stored, numbers)


def empty_scopes(connection: apsw.Connection, tenant: AdmittedTenant) -> list[Scope]:
    """Return the scopes of a tenant that hold nothing."""
    rows = connection.execute(
        "SELECT kb_id, index_generation FROM scopes WHERE tenant = ? AND chunks = 0 AND dropped = 0", (tenant,)
    )
    return [Scope(*row) for row in rows]


def _scopes_from(
    connection: apsw.Connection, tenant: AdmittedTenant, after: ChunkKey | None
) -> list[tuple[Scope, StoredScope]]:
    start = ("", 0) if after is None else (after.scope.kb_id, after.scope.index_generation)
    rows: list[tuple[Any, ...]] = connection.execute(
        "SELECT kb_id, index_generation, id, dimensions FROM scopes "
        "WHERE tenant = ? AND dropped = 0 AND (kb_id, index_generation) >= (?, ?) ORDER BY kb_id, index_generation",
        (tenant, *start),
    ).fetchall()
    return [(Scope(kb_id, index_generation), StoredScope(*rest)) for kb_id, index_generation, *rest in rows]


def _by_scope(keys: Sequence[ChunkKey]) -> Iterator[tuple[Scope, list[ChunkKey]]]:
    groups: dict[Scope, list[ChunkKey]] = {}
    for key in dict.fromkeys(keys):
        groups.setdefault(key.scope, []).append(key)
    yield from groups.items()


def _stored(scope: Scope, row: tuple[Any, ...]) -> StoredChunk:
    document_id, generation, ordinal, start, end, page, title, context, text, metadata, vector = row
    return StoredChunk(
        scope,
        IndexedChunk(
            document_id, generation, ordinal, start, end, page, title, context, text,
            np.frombuffer(vector, dtype="<f4"), json.loads(metadata),
        ),
    )  # fmt: skip
