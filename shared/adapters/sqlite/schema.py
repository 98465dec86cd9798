"""Tables of the embedded chunk index.

A scope is one (tenant, knowledge base, index generation). Its number, given by the database, is the only thing that
ever enters the name of a table: each scope has an FTS table of its own, since BM25 counts over a whole table.
"""

from typing import Final

import apsw

SHARED_TABLES: Final = """
CREATE TABLE IF NOT EXISTS scopes (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant TEXT NOT NULL,
    kb_id TEXT NOT NULL,
    index_generation INTEGER NOT NULL,
    dimensions INTEGER NOT NULL,
    chunks INTEGER NOT NULL DEFAULT 0,
    dropped INTEGER NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX IF NOT EXISTS live_scopes ON scopes (tenant, kb_id, index_generation) WHERE dropped = 0;
CREATE TABLE IF NOT EXISTS chunks (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    scope INTEGER NOT NULL,
    document_id TEXT NOT NULL,
    generation INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    start INTEGER NOT NULL,
    "end" INTEGER NOT NULL,
    page INTEGER,
    title TEXT NOT NULL,
    context TEXT NOT NULL,
    text TEXT NOT NULL,
    metadata TEXT NOT NULL,
    UNIQUE (scope, document_id, generation, ordinal)
);
CREATE TABLE IF NOT EXISTS metadata_terms (
    scope INTEGER NOT NULL,
    term TEXT NOT NULL,
    chunk INTEGER NOT NULL,
    PRIMARY KEY (scope, term, chunk)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS metadata_terms_of_chunk ON metadata_terms (chunk)
"""

_PUNCTUATION: Final = "".join(chr(code) for code in range(33, 127) if not chr(code).isalnum())
_TOKENIZER: Final = "ascii tokenchars '{}'".format(_PUNCTUATION.replace("'", "''")).replace('"', '""')
"""Splits at white space and nowhere else: the terms are made before they come here."""

VECTORS_PER_BLOCK: Final = 256
"""sqlite-vec gives a partition whole blocks: small ones keep a base of ten chunks from taking a megabyte and a half."""


def keyword_table(scope: int) -> str:
    return f"keywords_{scope:d}"


def vocabulary_table(scope: int) -> str:
    return f"vocabulary_{scope:d}"


def vector_table(dimensions: int) -> str:
    return f"vectors_{dimensions:d}"


def create_keyword_table(connection: apsw.Connection, scope: int) -> None:
    table = keyword_table(scope)
    connection.execute(
        f"CREATE VIRTUAL TABLE {table} USING fts5("
        f"terms, content = '', contentless_delete = 1, tokenize = \"{_TOKENIZER}\")"
    )
    connection.execute(f"CREATE VIRTUAL TABLE {vocabulary_table(scope)} USING fts5vocab({table}, row)")


def drop_keyword_table(connection: apsw.Connection, scope: int) -> None:
    connection.execute(f"DROP TABLE IF EXISTS {vocabulary_table(scope)}")
    connection.execute(f"DROP TABLE IF EXISTS {keyword_table(scope)}")


def create_vector_table(connection: apsw.Connection, dimensions: int) -> None:
    """Vectors of all scopes with this many dimensions, one partition each."""
    connection.execute(
        f"CREATE VIRTUAL TABLE IF NOT EXISTS {vector_table(dimensions)} USING vec0("
        f"chunk INTEGER PRIMARY KEY, scope INTEGER PARTITION KEY, embedding FLOAT[{dimensions:d}] "
        f"distance_metric = cosine, chunk_size = {VECTORS_PER_BLOCK})"
    )
