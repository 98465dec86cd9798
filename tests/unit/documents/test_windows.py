"""Anybody can check a citation: the window around a span (invariant 5)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.documents.canonical import CanonicalText, Page
from shared.documents.windows import SpanOutsideTextError, window_around

TEXT = CanonicalText(
    text="One page. 🧭 Another page.",
    format="pdf",
    pages=(Page(number=1, start=0, end=10), Page(number=2, start=10, end=25)),
)


def test_offsets_count_code_points() -> None:
    window = window_around(TEXT, 10, 11, 4)

    assert (window.before, window.quote, window.after) == ("ge. ", "🧭", " Ano")


def test_span_across_pages_names_both() -> None:
    window = window_around(TEXT, 4, 19, 0)

    assert (window.first_page, window.last_page) == (1, 2)


def test_span_that_ends_with_its_page_does_not_name_the_next() -> None:
    window = window_around(TEXT, 0, 10, 0)

    assert (window.first_page, window.last_page) == (1, 1)


@given(text=st.text(), start=st.integers(-3, 30), end=st.integers(-3, 30), context=st.integers(0, 30))
def test_window_is_cut_out_of_the_text_and_nothing_else_is_given(text: str, start: int, end: int, context: int) -> None:
    if not 0 <= start <= end <= len(text):
        with pytest.raises(SpanOutsideTextError):
            window_around(CanonicalText(text, "txt"), start, end, context)
        return

    window = window_around(CanonicalText(text, "txt"), start, end, context)

    assert text[window.start : window.end] == window.quote
    assert text[: window.start].endswith(window.before)
    assert text[window.end :].startswith(window.after)
    assert len(window.before) == min(start, context)
    assert len(window.after) == min(len(text) - end, context)
    assert window.length == len(text)
