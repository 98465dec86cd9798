"""What is taken out of text, what is kept, and what is said about it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.documents.normalisation import normalised


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\r\nb\rc\u2028d", "a\nb\nc\nd"),
        ("a\u00a0b\u3000c  d", "a b c d"),
        ("a\x00b\x07c\u00add\ufeff", "abcd"),
        ("cafe\u0301", "café"),
        ("a\ud800b", "ab"),
        ("x² ﬁ", "x² ﬁ"),
        ("name\tvalue", "name\tvalue"),
        ("line  \n  next", "line\nnext"),
    ],
)
def test_text_gets_its_canonical_form(text: str, expected: str) -> None:
    assert normalised(text) == (expected, False)


@pytest.mark.parametrize(
    ("text", "visible"),
    [
        ("pass\u200bword", "password"),
        ("\u202eevil\u202c", "evil"),
        ("a\U000e0069\U000e0067b", "ab"),
        ("a\u2066b\u2069", "ab"),
        ("a\ufe0f\ufe0e\ufe0fb", "a\ufe0fb"),
    ],
)
def test_what_hides_is_removed_and_reported(text: str, visible: str) -> None:
    assert normalised(text) == (visible, True)


@pytest.mark.parametrize("text", ["می\u200cخواهم", "👩\u200d💻", "ខ្ញុំ\u200bទៅ", "क\u094d\u200dष", "❤\ufe0f"])
def test_what_a_script_needs_stays(text: str) -> None:
    assert normalised(text) == (text, False)


@given(st.text(max_size=200))
def test_canonical_text_is_a_fixed_point(text: str) -> None:
    once, _ = normalised(text)

    assert normalised(once)[0] == once
