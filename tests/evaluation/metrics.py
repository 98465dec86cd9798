"""Figures of merit (K13)."""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence

import numpy as np


def ndcg(ranked: Sequence[str], relevant: Collection[str], cut: int = 10) -> float:
    """Return the normalised discounted cumulative gain of the first `cut` documents, relevance being yes or no.

    Source: Järvelin and Kekäläinen, "Cumulated gain-based evaluation of IR techniques", ACM TOIS 2002.

    >>> ndcg(["b", "a"], {"a"})
    0.6309297535714575
    """
    gain = sum(1 / math.log2(rank + 1) for rank, found in enumerate(ranked[:cut], start=1) if found in relevant)
    best = sum(1 / math.log2(rank + 1) for rank in range(1, min(cut, len(relevant)) + 1))
    return gain / best


def recall(ranked: Sequence[str], relevant: Collection[str], cut: int = 100) -> float:
    """Return the share of the relevant documents among the first `cut`."""
    return len(set(ranked[:cut]) & set(relevant)) / len(relevant)


def mean(values: Iterable[float]) -> float:
    """Return the mean, rounded to what is worth reading. Raises: ValueError for no values."""
    found = list(values)
    if not found:
        raise ValueError("There is no mean of nothing: the set has no question.")
    return round(sum(found) / len(found), 4)


def percentiles(timings: Sequence[Mapping[str, float]]) -> dict[str, dict[str, float]]:
    """Return the median and the 95th percentile of each stage, in milliseconds."""
    stages = sorted({stage for timing in timings for stage in timing})
    return {
        stage: {
            "p50": round(float(np.percentile([timing[stage] for timing in timings if stage in timing], 50)), 2),
            "p95": round(float(np.percentile([timing[stage] for timing in timings if stage in timing], 95)), 2),
        }
        for stage in stages
    }
