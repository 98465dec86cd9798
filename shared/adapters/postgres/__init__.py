"""PostgreSQL, by asyncpg: read models that need queries which a key-value table cannot answer."""
