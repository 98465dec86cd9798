"""Chunks in one SQLite file: no server, for bases of up to some 20,000 chunks."""
