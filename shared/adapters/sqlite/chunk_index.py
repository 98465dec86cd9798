"""The embedded chunk index (K6, K7): FTS5 for keywords, sqlite-vec for vectors, in one file."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Concatenate, Final, ParamSpec, TypeVar

import apsw

from shared.adapters.sqlite import scanning, searching
from shared.adapters.sqlite.database import Database
from shared.adapters.sqlite.schema import SHARED_TABLES, keyword_table, vector_table
from shared.adapters.sqlite.writing import (
    StoredScope,
    create_scope,
    drain_scope,
    find_scope,
    hide_scope,
    remove_chunks,
    row_of,
    write_rows,
)
from shared.kernel.ids import DocumentId, Generation, TenantId
from shared.kernel.tenants import AdmittedTenant, admitted
from shared.retrieval.chunk_stores import ChunkKey, StoredChunk
from shared.retrieval.fields import Condition
from shared.retrieval.ports import Hit, IndexedChunk, ReadBack, Scope, Vector

P = ParamSpec("P")
R = TypeVar("R")

MOST_CHUNKS_PER_WRITE: Final = 1000
MOST_HITS: Final = 4000
CHUNKS_PER_TRANSACTION: Final = 250
"""A write lock is held for some tens of milliseconds, so that writers in other processes get their turns."""


class SqliteChunkIndex:
    """A `ChunkIndex` in one file. Threads and processes may share the file; each process opens its own index.

    Vectors are compared one by one: made for knowledge bases of up to some 20,000 chunks.
    """

    def __init__(self, path: Path) -> None:
        self._database = Database(path, SHARED_TABLES)

    def close(self) -> None:
        """Close the file; the index stays usable and opens it again."""
        self._database.close()

    async def write(self, tenant: TenantId, scope: Scope, chunks: Sequence[IndexedChunk]) -> None:
        own = admitted(tenant)
        if len(chunks) > MOST_CHUNKS_PER_WRITE:
            raise ValueError(f"{len(chunks)} chunks in one write; {MOST_CHUNKS_PER_WRITE} are the most.")
        if chunks:
            await asyncio.to_thread(self._write, own, scope, chunks)

    async def refresh(self, tenant: TenantId, scope: Scope) -> None:  # noqa: ARG002 - the port's
        """Nothing to do: a finished write is seen by every later search."""
        admitted(tenant)

    async def read_back(
        self, tenant: TenantId, scope: Scope, document_id: DocumentId, generation: Generation, last_ordinal: int
    ) -> ReadBack:
        return await asyncio.to_thread(self._read_back, admitted(tenant), scope, document_id, generation, last_ordinal)

    async def search_keyword(
        self,
        tenant: TenantId,
        scope: Scope,
        query: str,
        limit: int,
        conditions: Sequence[Condition] = (),
        without: Sequence[tuple[DocumentId, Generation]] = (),
    ) -> list[Hit]:
        _check_limit(limit)
        return await asyncio.to_thread(self._search_keyword, admitted(tenant), scope, query, limit, conditions, without)

    async def search_vector(
        self,
        tenant: TenantId,
        scope: Scope,
        vector: Vector,
        limit: int,
        conditions: Sequence[Condition] = (),
        without: Sequence[tuple[DocumentId, Generation]] = (),
    ) -> list[Hit]:
        _check_limit(limit)
        return await asyncio.to_thread(self._search_vector, admitted(tenant), scope, vector, limit, conditions, without)

    async def delete_document_generation(
        self, tenant: TenantId, scope: Scope, document_id: DocumentId, generation: Generation
    ) -> int:
        return await asyncio.to_thread(
            self._delete_document_generation, admitted(tenant), scope, document_id, generation
        )

    async def delete_scope(self, tenant: TenantId, scope: Scope) -> None:
        await asyncio.to_thread(self._delete_scope, admitted(tenant), scope)

    async def count(self, tenant: TenantId) -> int:
        return await asyncio.to_thread(self._read, scanning.count_chunks, admitted(tenant))

    async def scan(self, tenant: TenantId, after: ChunkKey | None, limit: int) -> list[StoredChunk]:
        return await asyncio.to_thread(self._read, scanning.scan_chunks, admitted(tenant), after, limit)

    async def fetch(self, tenant: TenantId, keys: Sequence[ChunkKey]) -> list[StoredChunk]:
        return await asyncio.to_thread(self._read, scanning.fetch_chunks, admitted(tenant), keys)

    async def remove(self, tenant: TenantId, keys: Sequence[ChunkKey]) -> None:
        await asyncio.to_thread(self._remove, admitted(tenant), keys)

    async def vacate(self, tenant: TenantId) -> None:
        """Drop the keyword tables of scopes that hold nothing."""
        for scope in await asyncio.to_thread(self._read, scanning.empty_scopes, admitted(tenant)):
            await self.delete_scope(tenant, scope)

    def _write(self, tenant: AdmittedTenant, scope: Scope, chunks: Sequence[IndexedChunk]) -> None:
        # The last of two chunks with one identity counts, as with two writes.
        unique = {chunk_identity(chunk): chunk for chunk in chunks}
        rows = [row_of(chunk) for chunk in unique.values()]
        for start in range(0, len(rows), CHUNKS_PER_TRANSACTION):
            with self._database.writing() as connection:
                dimensions = len(chunks[0].vector)
                stored = find_scope(connection, tenant, scope) or create_scope(connection, tenant, scope, dimensions)
                batch = rows[start : start + CHUNKS_PER_TRANSACTION]
                for row in batch:
                    _check_dimensions(stored, row.chunk.vector)
                write_rows(connection, stored, batch)

    def _read_back(
        self, tenant: AdmittedTenant, scope: Scope, document_id: DocumentId, generation: Generation, last_ordinal: int
    ) -> ReadBack:
        with self._database.reading() as connection:
            stored = find_scope(connection, tenant, scope)
            if stored is None:
                return ReadBack(0, has_first=False, has_last=False)
            found = connection.execute(
                f"SELECT count(*), total(c.ordinal = 0), total(c.ordinal = ?) FROM chunks c "
                f"CROSS JOIN {keyword_table(stored.id)} k ON k.rowid = c.id "
                f"CROSS JOIN {vector_table(stored.dimensions)} v ON v.chunk = c.id "
                "WHERE c.scope = ? AND c.document_id = ? AND c.generation = ?",
                (last_ordinal, stored.id, document_id, generation),
            )
            count, firsts, lasts = found.get
            return ReadBack(count, has_first=firsts > 0, has_last=lasts > 0)

    def _search_keyword(
        self,
        tenant: AdmittedTenant,
        scope: Scope,
        query: str,
        limit: int,
        conditions: Sequence[Condition],
        without: Sequence[tuple[DocumentId, Generation]],
    ) -> list[Hit]:
        with self._database.reading() as connection:
            stored = find_scope(connection, tenant, scope)
            if stored is None:
                return []
            return searching.search_keyword(connection, stored.id, query, limit, conditions, without)

    def _search_vector(
        self,
        tenant: AdmittedTenant,
        scope: Scope,
        vector: Vector,
        limit: int,
        conditions: Sequence[Condition],
        without: Sequence[tuple[DocumentId, Generation]],
    ) -> list[Hit]:
        with self._database.reading() as connection:
            stored = find_scope(connection, tenant, scope)
            if stored is None:
                return []
            _check_dimensions(stored, vector)
            return searching.search_vector(connection, stored.id, vector, limit, conditions, without)

    def _delete_document_generation(
        self, tenant: AdmittedTenant, scope: Scope, document_id: DocumentId, generation: Generation
    ) -> int:
        removed = 0
        while True:
            with self._database.writing() as connection:
                stored = find_scope(connection, tenant, scope)
                if stored is None:
                    return removed
                numbers = connection.execute(
                    "SELECT id FROM chunks WHERE scope = ? AND document_id = ? AND generation = ? LIMIT ?",
                    (stored.id, document_id, generation, CHUNKS_PER_TRANSACTION),
                ).fetchall()
                removed += remove_chunks(connection, stored, numbers)
            if len(numbers) < CHUNKS_PER_TRANSACTION:
                return removed

    def _read(self, reading: Callable[Concatenate[apsw.Connection, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        with self._database.reading() as connection:
            return reading(connection, *args, **kwargs)

    def _remove(self, tenant: AdmittedTenant, keys: Sequence[ChunkKey]) -> None:
        for start in range(0, len(keys), CHUNKS_PER_TRANSACTION):
            with self._database.writing() as connection:
                scanning.remove_keys(connection, tenant, keys[start : start + CHUNKS_PER_TRANSACTION])

    def _delete_scope(self, tenant: AdmittedTenant, scope: Scope) -> None:
        with self._database.writing() as connection:
            hidden = hide_scope(connection, tenant, scope)
        for stored in hidden:
            gone = False
            while not gone:
                with self._database.writing() as connection:
                    gone = drain_scope(connection, stored, CHUNKS_PER_TRANSACTION)


def chunk_identity(chunk: IndexedChunk) -> tuple[DocumentId, Generation, int]:
    return chunk.document_id, chunk.generation, chunk.ordinal


def _check_limit(limit: int) -> None:
    if not 1 <= limit <= MOST_HITS:
        raise ValueError(f"A limit of {limit}; 1 to {MOST_HITS} hits can be asked for.")


def _check_dimensions(scope: StoredScope, vector: Vector) -> None:
    if len(vector) != scope.dimensions:
        raise ValueError(f"A vector of {len(vector)} numbers among vectors of {scope.dimensions}.")
