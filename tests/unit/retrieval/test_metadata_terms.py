import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.retrieval.fields import Condition, MetadataValue
from shared.retrieval.metadata_terms import AnyTerm, NoTerm, TermRange, requirement_of, terms_of

NUMBERS = st.floats(allow_nan=False) | st.integers(min_value=-(2**53), max_value=2**53)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


def holds(condition: Condition, metadata: dict[str, MetadataValue]) -> bool:
    """Ask the terms as a store does."""
    terms = terms_of(metadata)
    match requirement_of(condition):
        case AnyTerm(wanted):
            return any(term in terms for term in wanted)
        case TermRange(first, last):
            return any(first <= term <= last for term in terms)
        case NoTerm(unwanted):
            return unwanted not in terms


@given(value=NUMBERS, low=NUMBERS, high=NUMBERS)
def test_ranges_of_terms_are_ranges_of_numbers(value: float, low: float, high: float) -> None:
    metadata: dict[str, MetadataValue] = {"n": value}

    assert holds(Condition("n", at_least=low, at_most=high), metadata) == (low <= value <= high)
    assert holds(Condition("n", at_least=low), metadata) == (low <= value)
    assert holds(Condition("n", at_most=high), metadata) == (value <= high)
    assert holds(Condition("n", equals=low), metadata) == (low == value)


@given(value=TEXTS, low=TEXTS, high=TEXTS)
def test_ranges_of_terms_are_ranges_of_strings(value: str, low: str, high: str) -> None:
    metadata: dict[str, MetadataValue] = {"s": value}

    assert holds(Condition("s", at_least=low, at_most=high), metadata) == (low <= value <= high)
    assert holds(Condition("s", at_least=low), metadata) == (low <= value)
    assert holds(Condition("s", at_most=high), metadata) == (value <= high)
    assert holds(Condition("s", equals=low), metadata) == (low == value)


@given(left=TEXTS, right=TEXTS, value=TEXTS | NUMBERS | st.booleans())
def test_a_field_is_never_taken_for_another(left: str, right: str, value: MetadataValue) -> None:
    metadata: dict[str, MetadataValue] = {left: value}

    assert holds(Condition(right, equals=value), metadata) == (left == right)
    assert holds(Condition(right, exists=True), metadata) == (left == right)
    assert holds(Condition(right, exists=False), metadata) == (left != right)


def test_types_are_never_mixed() -> None:
    assert not holds(Condition("a", equals=True), {"a": 1.0})
    assert not holds(Condition("a", equals="1"), {"a": 1.0})
    assert not holds(Condition("a", at_least="0"), {"a": 1.0})
    assert not holds(Condition("a", at_least=0), {"a": "1"})
    assert holds(Condition("a", equals=0.0), {"a": -0.0})


def test_long_strings_are_told_apart() -> None:
    long = "x" * 5000

    assert holds(Condition("a", equals=long), {"a": long})
    assert not holds(Condition("a", equals=long + "y"), {"a": long})
    assert max(map(len, terms_of({long: long}))) < 400


@pytest.mark.parametrize("condition", [Condition("a"), Condition("a", at_least=1, at_most="2")])
def test_a_condition_that_means_nothing_is_refused(condition: Condition) -> None:
    with pytest.raises(ValueError, match="'a'"):
        requirement_of(condition)


def test_what_is_not_a_number_is_refused() -> None:
    with pytest.raises(ValueError, match="not one"):
        terms_of({"a": math.nan})
