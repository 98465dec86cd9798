"""Cutting a canonical text into chunks: spans that are embedded, found and cited (K4). Pure functions."""
