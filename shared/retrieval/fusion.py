"""One ranking out of two: how the keyword and the vector leg of a search are combined (K7).

A ranking maps chunk id to score, higher is better; the two legs may use different scales.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

Ranking = Mapping[str, float]

DEFAULT_VECTOR_WEIGHT: Final = 0.6
"""The vector leg's share in a new knowledge base: the best of 0.4 to 0.7 on the three public sets together."""

RECIPROCAL_RANK_CONSTANT: Final = 60
"""How slowly a rank loses weight; the value of the original paper."""


class Fusion(StrEnum):
    MIN_MAX = "min_max"
    RECIPROCAL_RANK = "reciprocal_rank"


def fuse(fusion: Fusion, keyword: Ranking, vector: Ranking, *, vector_weight: float) -> dict[str, float]:
    """Combine two rankings of the same query into one, best first, by the named rule."""
    if fusion is Fusion.RECIPROCAL_RANK:
        return fuse_reciprocal_rank(keyword, vector, vector_weight=vector_weight)
    return fuse_min_max(keyword, vector, vector_weight=vector_weight)


def fuse_min_max(keyword: Ranking, vector: Ranking, *, vector_weight: float) -> dict[str, float]:
    """Stretch each ranking to [0, 1] and add them; a chunk that one leg did not find counts 0 there.

    `vector_weight`, in [0, 1], is the vector leg's share. An empty leg is allowed. Ties are broken by chunk id, so
    results repeat. Scores of the result lie in [0, 1].

    Source: Bruch, Gai and Ingber, "An Analysis of Fusion Functions for Hybrid Retrieval", ACM TOIS 2023.
    """
    left, right = stretch(keyword), stretch(vector)
    return in_order(
        {
            chunk: (1 - vector_weight) * left.get(chunk, 0.0) + vector_weight * right.get(chunk, 0.0)
            for chunk in left.keys() | right.keys()
        }
    )


def fuse_reciprocal_rank(keyword: Ranking, vector: Ranking, *, vector_weight: float) -> dict[str, float]:
    """Add the weighted reciprocals of the ranks; only the order of each leg counts. Ties are broken by chunk id.

    Source: Cormack, Clarke and Büttcher, "Reciprocal Rank Fusion", SIGIR 2009.
    """
    fused: dict[str, float] = {}
    for ranking, weight in ((keyword, 1 - vector_weight), (vector, vector_weight)):
        for rank, chunk in enumerate(in_order(ranking), start=1):
            fused[chunk] = fused.get(chunk, 0.0) + weight / (RECIPROCAL_RANK_CONSTANT + rank)
    return in_order(fused)


def stretch(ranking: Ranking) -> dict[str, float]:
    """Map scores linearly so that the worst is 0 and the best 1; where all are equal, each is 1."""
    if not ranking:
        return {}
    worst, best = min(ranking.values()), max(ranking.values())
    if best == worst:
        return dict.fromkeys(ranking, 1.0)
    return {chunk: (score - worst) / (best - worst) for chunk, score in ranking.items()}


def in_order(ranking: Ranking) -> dict[str, float]:
    """Return the ranking best first, ties by chunk id."""
    return dict(sorted(ranking.items(), key=lambda scored: (-scored[1], scored[0])))
