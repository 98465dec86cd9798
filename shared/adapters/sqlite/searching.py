"""The two legs of a search in SQL."""

import json
import math
from collections.abc import Sequence
from typing import Any, Final

import apsw

from shared.adapters.sqlite.filters import Binding, Subquery, allowed_chunks
from shared.adapters.sqlite.schema import keyword_table, vector_table, vocabulary_table
from shared.kernel.ids import DocumentId, Generation
from shared.retrieval.fields import Condition
from shared.retrieval.keywords import K1, inverse_document_frequency, query_terms
from shared.retrieval.ports import Hit, Vector

MOST_NEIGHBOURS: Final = 4096
"""What sqlite-vec finds at most."""

TIED_NEIGHBOURS: Final = 32
"""Neighbours fetched beyond the limit, so that those tied at its edge are ordered by chunk id."""

_COLUMNS: Final = (
    'c.document_id, c.generation, c.ordinal, c.start, c."end", c.page, c.title, c.context, c.text, c.metadata'
)
_CHUNK_ID: Final = "c.document_id || '.' || c.generation || '.' || c.ordinal"


def search_keyword(
    connection: apsw.Connection,
    scope: int,
    query: str,
    limit: int,
    conditions: Sequence[Condition],
    without: Sequence[tuple[DocumentId, Generation]],
) -> list[Hit]:
    """Score term by term: FTS5's own formula gives nothing for a term that half of the chunks hold, which is common
    in a small base. Its part for one term, with its inverse document frequency exchanged, is Lucene's BM25.
    """
    weights = _term_weights(connection, scope, query)
    if not weights:
        return []
    table = keyword_table(scope)
    part = f"SELECT rowid AS id, ? * bm25({table}) AS part FROM {table} WHERE {table} MATCH ?"
    bindings: list[Binding] = [
        binding for term, weight in weights.items() for binding in (weight, '"' + term.replace('"', '""') + '"')
    ]
    allowed = allowed_chunks(scope, conditions, without)
    sql = f"""
        WITH parts AS MATERIALIZED ({" UNION ALL ".join([part] * len(weights))}),
             sums AS MATERIALIZED (SELECT id, sum(part) AS score FROM parts GROUP BY id),
             scored AS MATERIALIZED (SELECT id, score FROM sums{_where_in("id", allowed)})
        SELECT {_COLUMNS}, score FROM scored CROSS JOIN chunks c ON c.id = scored.id
        WHERE score >= coalesce((SELECT score FROM scored ORDER BY score DESC LIMIT 1 OFFSET ?), 0)
        ORDER BY score DESC, {_CHUNK_ID} LIMIT ?"""
    bindings += [*(allowed.bindings if allowed else ()), limit - 1, limit]
    return [_hit(row) for row in connection.execute(sql, bindings)]


def search_vector(
    connection: apsw.Connection,
    scope: int,
    vector: Vector,
    limit: int,
    conditions: Sequence[Condition],
    without: Sequence[tuple[DocumentId, Generation]],
) -> list[Hit]:
    """Compare with every allowed chunk of the scope: exact, and linear in their number."""
    allowed = allowed_chunks(scope, conditions, without)
    sql = f"""
        WITH nearest AS MATERIALIZED (
            SELECT chunk, distance FROM {vector_table(len(vector))}
            WHERE embedding MATCH ? AND k = ? AND scope = ?{_and_in("chunk", allowed)})
        SELECT {_COLUMNS}, 1 - distance FROM nearest CROSS JOIN chunks c ON c.id = chunk
        ORDER BY distance, {_CHUNK_ID} LIMIT ?"""
    bindings = (
        vector.astype("<f4").tobytes(),
        min(limit + TIED_NEIGHBOURS, MOST_NEIGHBOURS),
        scope,
        *(allowed.bindings if allowed else ()),
        limit,
    )
    return [_hit(row) for row in connection.execute(sql, bindings)]


def _term_weights(connection: apsw.Connection, scope: int, query: str) -> dict[str, float]:
    """Return what to multiply FTS5's (negative) part of each known term with, to get its part of BM25."""
    asked = query_terms(query)
    chunks: int = connection.execute("SELECT chunks FROM scopes WHERE id = ?", (scope,)).get
    weights = {}
    for term, times in asked.items():
        row = connection.execute(f"SELECT doc FROM {vocabulary_table(scope)} WHERE term = ?", (term,)).fetchone()
        if row is not None:
            wanted = inverse_document_frequency(chunks, row[0])
            weights[term] = -times * wanted / (_frequency_weight_of_fts5(chunks, row[0]) * (K1 + 1))
    return weights


def _frequency_weight_of_fts5(chunks: int, containing: int) -> float:
    """Source: `fts5Bm25GetData` in SQLite's `fts5_aux.c`."""
    return max(math.log((chunks - containing + 0.5) / (containing + 0.5)), 0.0) or 1e-6


def _where_in(column: str, allowed: Subquery | None) -> str:
    return "" if allowed is None else f" WHERE {column} IN ({allowed.sql})"


def _and_in(column: str, allowed: Subquery | None) -> str:
    return "" if allowed is None else f" AND {column} IN ({allowed.sql})"


def _hit(row: tuple[Any, ...]) -> Hit:
    document_id, generation, ordinal, start, end, page, title, context, text, metadata, score = row
    return Hit(
        document_id, generation, ordinal, start, end, page, title, context, text, score, json.loads(metadata)
    )  # fmt: skip
