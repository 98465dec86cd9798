"""Chunks of many tenants in one OpenSearch index."""
