"""Cells of chunks: a tenant's chunk index wherever the tenant is (T6)."""
