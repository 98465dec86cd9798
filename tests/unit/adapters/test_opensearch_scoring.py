import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.adapters.opensearch.layout import IndexLayout
from shared.adapters.opensearch.scoring import ScopeCounts
from shared.retrieval.keywords import inverse_document_frequency


def unpacked(boost: int) -> tuple[float, float]:
    """Do what the script of the index does."""
    idf = (256 + (boost & 255)) * (1 << ((boost >> 8) & 15)) / 65536
    average = (256 + ((boost >> 12) & 255)) * (1 << ((boost >> 20) & 15)) / 256
    return idf, average


@given(
    chunks=st.integers(1, 10**9),
    share=st.floats(0, 1),
    average=st.floats(1, 60_000),
    times=st.integers(1, 5),
)
def test_two_numbers_travel_in_one_boost(chunks: int, share: float, average: float, times: int) -> None:
    containing = int(chunks * share)

    boost = ScopeCounts(chunks, average, {"term": containing}).boost("term", times)

    expected = max(times * inverse_document_frequency(chunks, containing), 256 / 65536)
    assert 0 <= boost < 2**24  # what a 32-bit float keeps exactly
    assert unpacked(boost) == pytest.approx((expected, average), rel=0.002)


def test_counts_that_are_old_never_turn_a_weight_around() -> None:
    assert unpacked(ScopeCounts(3, 10, {"term": 7}).boost("term", 1))[0] > 0
    assert unpacked(ScopeCounts(0, 1, {}).boost("term", 1))[0] > 0


@pytest.mark.parametrize(("replicas", "needed"), [(0, "1"), (1, "2"), (2, "2")])
def test_a_write_needs_the_majority_of_the_copies(replicas: int, needed: str) -> None:
    settings = IndexLayout("name", 384, replicas=replicas).to_body()["settings"]["index"]

    assert settings["write"]["wait_for_active_shards"] == needed
