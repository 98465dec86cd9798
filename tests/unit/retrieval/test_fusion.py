"""One ranking out of two."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.retrieval.fusion import Fusion, fuse, fuse_min_max, fuse_reciprocal_rank, stretch

# Whole numbers, for two scores closer than a float can tell become equal when they are stretched.
RANKINGS = st.dictionaries(
    st.text("abcdef", min_size=1, max_size=2), st.integers(-1_000, 1_000).map(float), max_size=12
)
WEIGHTS = st.floats(0, 1)


def test_min_max_adds_the_stretched_scores() -> None:
    fused = fuse_min_max({"a": 10, "b": 5, "c": 0}, {"b": 0.9, "d": 0.1}, vector_weight=0.6)

    assert fused == pytest.approx({"b": 0.8, "a": 0.4, "c": 0.0, "d": 0.0})
    assert list(fused) == ["b", "a", "c", "d"]


def test_reciprocal_rank_looks_at_order_only() -> None:
    near = fuse_reciprocal_rank({"a": 2, "b": 1}, {"b": 3, "a": 1}, vector_weight=0.6)
    far = fuse_reciprocal_rank({"a": 2000, "b": 1}, {"b": 3, "a": -1}, vector_weight=0.6)

    assert near == far
    assert list(near) == ["b", "a"]


def test_equal_scores_all_count_as_best() -> None:
    assert stretch({"a": 3.0, "b": 3.0}) == {"a": 1.0, "b": 1.0}


@given(RANKINGS, RANKINGS, WEIGHTS, st.sampled_from(Fusion))
def test_a_fused_ranking_holds_every_chunk_once_best_first(
    keyword: dict[str, float], vector: dict[str, float], weight: float, fusion: Fusion
) -> None:
    fused = fuse(fusion, keyword, vector, vector_weight=weight)

    assert fused.keys() == keyword.keys() | vector.keys()
    assert list(fused.items()) == sorted(fused.items(), key=lambda scored: (-scored[1], scored[0]))


@given(RANKINGS, RANKINGS, WEIGHTS)
def test_min_max_scores_lie_between_0_and_1(keyword: dict[str, float], vector: dict[str, float], weight: float) -> None:
    assert all(0 <= score <= 1.000_001 for score in fuse_min_max(keyword, vector, vector_weight=weight).values())


@given(RANKINGS, RANKINGS)
def test_a_leg_with_all_the_weight_keeps_its_own_order(keyword: dict[str, float], vector: dict[str, float]) -> None:
    fused = fuse_min_max(keyword, vector, vector_weight=1.0)

    kept = [vector[chunk] for chunk in fused if fused[chunk] > 0]
    assert kept == sorted(kept, reverse=True)
