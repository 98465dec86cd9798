"""Cells: where a tenant's data lives, how requests find it, and how it moves (T6)."""
