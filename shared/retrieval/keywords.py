"""What is matched and how much a match weighs, for every store alike (K6, K7).

Stores keep terms in fields that are split at white space, and score with Okapi BM25 over one knowledge base in one
index generation: the numbers here make them agree.
"""

import math
from collections import Counter
from typing import Final

from shared.retrieval.analysis import analyze

K1: Final = 1.2
B: Final = 0.75
MOST_QUERY_TERMS: Final = 256
"""Distinct terms of a query that are searched for; the first ones count."""


def indexed_terms(context: str, text: str) -> list[str]:
    """Return the terms under which a chunk is found, in order; none of them is empty or holds white space."""
    return [term for raw in analyze(f"{context}\n{text}") if (term := _without_spaces(raw))]


def query_terms(query: str) -> dict[str, int]:
    """Return the distinct terms of `query` in order of appearance, each with how often it was asked for."""
    counted = Counter(term for raw in analyze(query) if (term := _without_spaces(raw)))
    return dict(list(counted.items())[:MOST_QUERY_TERMS])


def inverse_document_frequency(chunks: int, containing: int) -> float:
    """Return the weight of a term found in `containing` of `chunks` chunks; above 0 even when all contain it.

    Source: Lucene's BM25Similarity.
    """
    return math.log(1 + (chunks - containing + 0.5) / (containing + 0.5))


def _without_spaces(term: str) -> str:
    # Compatibility folding turns a few ligatures into a space and marks; a store would see two terms.
    return term if term.isascii() else "".join(term.split())
