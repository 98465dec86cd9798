"""What counts as the same word."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.retrieval.analysis import LONGEST_TERM, STOP_WORDS, analyze, terms


@pytest.mark.parametrize(
    ("written", "asked"),
    [
        ("Notices of termination", "notice termination"),
        ("The CAFÉ", "cafe"),
        ("policies", "policy"),
        ("1,000 units", "1000"),
        ("a,17,b", "17"),
        ("rows 12,34,56", "34"),
        ("version 2.19.1", "2.19.1"),
        ("the company’s offices", "company office"),
        ("snake_case_name", "case"),
        ("ﬁnal ｆｕｌｌ", "final full"),
        ("東京都庁", "東京"),
        ("大きな猫がいる", "猫"),
        ("หนังสือเดินทาง", "เดินทาง"),
        ("iPhone手机", "iphone"),
        ("कर्मचारी नीति", "नीति"),
        ("Ёлка", "елка"),
        ("straße", "STRASSE"),
    ],
)
def test_every_term_that_is_asked_is_among_those_that_are_written(written: str, asked: str) -> None:
    wanted = analyze(asked)

    assert wanted
    assert set(wanted) <= set(analyze(written))


def test_stop_words_and_punctuation_give_no_terms() -> None:
    assert analyze(" ".join(sorted(STOP_WORDS)) + " -- ... !?") == []


def test_vowel_signs_do_not_cut_words() -> None:
    assert analyze("हिन्दी") == ["हिन्दी"]


@given(st.text())
def test_terms_are_short_and_whole_and_their_spans_lie_in_the_text(text: str) -> None:
    found = list(terms(text))

    assert [term.start for term in found] == sorted(term.start for term in found)
    for term in found:
        assert 0 <= term.start < term.end <= len(text)
        assert term.text
        assert not any(character.isspace() for character in term.text)
        # A single character may unfold into several when it is normalised.
        assert len(term.text) <= LONGEST_TERM * 18


@given(st.text())
def test_a_term_is_found_again_by_typing_what_it_was_read_from(text: str) -> None:
    for term in terms(text):
        assert term.text in analyze(text[term.start : term.end])
