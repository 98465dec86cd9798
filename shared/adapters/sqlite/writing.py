"""What changes the file: each function runs inside one write transaction."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import apsw

from shared.adapters.sqlite.schema import (
    create_keyword_table,
    create_vector_table,
    drop_keyword_table,
    keyword_table,
    vector_table,
)
from shared.kernel.tenants import AdmittedTenant
from shared.retrieval.keywords import indexed_terms
from shared.retrieval.metadata_terms import terms_of
from shared.retrieval.ports import IndexedChunk, Scope

Number = tuple[Any, ...]
"""A result row that holds a chunk's number and nothing else."""


@dataclass(frozen=True, slots=True)
class StoredScope:
    """The number of a scope in this file, and how long its vectors are."""

    id: int
    dimensions: int


@dataclass(frozen=True, slots=True)
class Row:
    """A chunk made ready before the write lock is taken."""

    chunk: IndexedChunk
    terms: str
    vector: bytes
    metadata: str
    metadata_terms: Sequence[str]


def row_of(chunk: IndexedChunk) -> Row:
    return Row(
        chunk=chunk,
        terms=" ".join(indexed_terms(chunk.context, chunk.text)),
        vector=chunk.vector.astype("<f4").tobytes(),
        metadata=json.dumps(dict(chunk.metadata), ensure_ascii=False),
        metadata_terms=terms_of(chunk.metadata),
    )


def find_scope(connection: apsw.Connection, tenant: AdmittedTenant, scope: Scope) -> StoredScope | None:
    row = connection.execute(
        "SELECT id, dimensions FROM scopes WHERE tenant = ? AND kb_id = ? AND index_generation = ? AND dropped = 0",
        (tenant, scope.kb_id, scope.index_generation),
    ).fetchone()
    return None if row is None else StoredScope(*row)


def create_scope(connection: apsw.Connection, tenant: AdmittedTenant, scope: Scope, dimensions: int) -> StoredScope:
    connection.execute(
        "INSERT INTO scopes (tenant, kb_id, index_generation, dimensions) VALUES (?, ?, ?, ?)",
        (tenant, scope.kb_id, scope.index_generation, dimensions),
    )
    created = StoredScope(connection.last_insert_rowid(), dimensions)
    create_keyword_table(connection, created.id)
    create_vector_table(connection, dimensions)
    return created


def write_rows(connection: apsw.Connection, scope: StoredScope, rows: Sequence[Row]) -> None:
    """Add rows in place of what has the same (document, generation, ordinal)."""
    key = "scope = ? AND document_id = ? AND generation = ? AND ordinal = ?"
    replaced = [
        found
        for row in rows
        for found in connection.execute(
            f"SELECT id FROM chunks WHERE {key}",
            (scope.id, row.chunk.document_id, row.chunk.generation, row.chunk.ordinal),
        )
    ]
    remove_chunks(connection, scope, replaced)
    for row in rows:
        chunk = row.chunk
        connection.execute(
            "INSERT INTO chunks VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                scope.id, chunk.document_id, chunk.generation, chunk.ordinal, chunk.start, chunk.end, chunk.page,
                chunk.title, chunk.context, chunk.text, row.metadata,
            ),
        )  # fmt: skip
        chunk_number = connection.last_insert_rowid()
        connection.execute(
            f"INSERT INTO {keyword_table(scope.id)} (rowid, terms) VALUES (?, ?)", (chunk_number, row.terms)
        )
        connection.execute(
            f"INSERT INTO {vector_table(scope.dimensions)} (chunk, scope, embedding) VALUES (?, ?, ?)",
            (chunk_number, scope.id, row.vector),
        )
        connection.executemany(
            "INSERT INTO metadata_terms VALUES (?, ?, ?)",
            ((scope.id, term, chunk_number) for term in row.metadata_terms),
        )
    connection.execute("UPDATE scopes SET chunks = chunks + ? WHERE id = ?", (len(rows), scope.id))


def remove_chunks(connection: apsw.Connection, scope: StoredScope, ones: Sequence[Number]) -> int:
    """Remove chunks by number from every table; return how many there were."""
    connection.executemany(f"DELETE FROM {keyword_table(scope.id)} WHERE rowid = ?", ones)
    _remove_from_shared_tables(connection, scope, ones)
    connection.execute("UPDATE scopes SET chunks = chunks - ? WHERE id = ?", (len(ones), scope.id))
    return len(ones)


def hide_scope(connection: apsw.Connection, tenant: AdmittedTenant, scope: Scope) -> list[StoredScope]:
    """Take the scope out of sight with one update; return it and what an interrupted removal left of the same scope."""
    key = "tenant = ? AND kb_id = ? AND index_generation = ?"
    values = (tenant, scope.kb_id, scope.index_generation)
    connection.execute(f"UPDATE scopes SET dropped = 1 WHERE {key}", values)
    hidden = connection.execute(f"SELECT id, dimensions FROM scopes WHERE {key} AND dropped = 1", values)
    return [StoredScope(*row) for row in hidden]


def drain_scope(connection: apsw.Connection, scope: StoredScope, most: int) -> bool:
    """Remove up to `most` chunks of a hidden scope, and the scope itself with the last; return whether it is gone."""
    numbers = connection.execute("SELECT id FROM chunks WHERE scope = ? LIMIT ?", (scope.id, most)).fetchall()
    _remove_from_shared_tables(connection, scope, numbers)
    if len(numbers) == most:
        return False
    drop_keyword_table(connection, scope.id)
    connection.execute("DELETE FROM scopes WHERE id = ?", (scope.id,))
    return True


def _remove_from_shared_tables(connection: apsw.Connection, scope: StoredScope, ones: Sequence[Number]) -> None:
    connection.executemany(f"DELETE FROM {vector_table(scope.dimensions)} WHERE chunk = ?", ones)
    connection.executemany("DELETE FROM chunks WHERE id = ?", ones)
    connection.executemany(
        "DELETE FROM metadata_terms WHERE (scope, term, chunk) IN "
        "(SELECT scope, term, chunk FROM metadata_terms WHERE chunk = ?)",
        ones,
    )
