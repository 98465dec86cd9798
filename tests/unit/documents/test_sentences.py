"""Sentences are found in any script, and never lose or reorder a character."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.documents.sentences import sentence_spans


def sentences(text: str) -> list[str]:
    return [text[start:end] for start, end in sentence_spans(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two! Three? Four", ["One.", "Two!", "Three?", "Four"]),
        ("Dr. Smith met Mr. Jones. They spoke.", ["Dr. Smith met Mr. Jones.", "They spoke."]),
        ("See e.g. Section 5. It helps.", ["See e.g. Section 5.", "It helps."]),
        ("It costs 3.50 euros. Cheap.", ["It costs 3.50 euros.", "Cheap."]),
        ("J. R. Tolkien wrote it. Nice.", ["J. R. Tolkien wrote it.", "Nice."]),
        ('He said "Stop." Then he left.', ['He said "Stop."', "Then he left."]),
        ("A fact.[12] Another fact.", ["A fact.[12]", "Another fact."]),
        ("Am 3. Oktober 1990 war es so weit. Ende.", ["Am 3. Oktober 1990 war es so weit.", "Ende."]),
        ("1. First item\n2. Second item", ["1. First item", "2. Second item"]),
        ("彼は来た。彼女も来た！本当？", ["彼は来た。", "彼女も来た！", "本当？"]),
        ("「行こう。」と言った。", ["「行こう。」", "と言った。"]),
        ("यह एक है। यह दो है।", ["यह एक है।", "यह दो है।"]),
        ("هل تفهم؟ نعم.", ["هل تفهم؟", "نعم."]),
        ("We use trees, papers, etc. in class. Done.", ["We use trees, papers, etc. in class.", "Done."]),
        ("capital of the country: Oslo\ncurrency: krone", ["capital of the country: Oslo", "currency: krone"]),
        (
            "They began an E-\nQIP session for everybody who asked for it.",
            ["They began an E-\nQIP session for everybody who asked for it."],
        ),
        ("Heading\n\nBody text", ["Heading", "Body text"]),
        ("", []),
        (" \n\t ", []),
    ],
)
def test_text_is_divided_at_its_sentences(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


def test_a_line_that_a_page_wrapped_stays_in_its_sentence() -> None:
    text = "The notice period for this contract is thirty days, counted\nfrom the day of the letter. It may be longer."

    assert len(sentences(text)) == 2


def test_list_items_and_table_rows_are_sentences_of_their_own() -> None:
    text = "We need the following items\n• apples from the garden\n• pears\nname | price\npear | 2"

    assert len(sentences(text)) == 5


@given(st.text(alphabet=st.sampled_from("aZ.!?。 \n\t1•()\"'|é汉…"), max_size=300))
def test_every_visible_character_is_in_exactly_one_sentence(text: str) -> None:
    spans = sentence_spans(text)

    covered: set[int] = set()
    for start, end in spans:
        assert start < end
        assert not text[start].isspace()
        assert not text[end - 1].isspace()
        assert not covered & set(range(start, end))
        covered.update(range(start, end))
    assert spans == sorted(spans)
    assert {at for at, character in enumerate(text) if not character.isspace()} <= covered


@pytest.mark.parametrize("text", ["x" * 500_000, "a. " * 150_000, "a\n" * 200_000, "1." * 200_000, "\n \n" * 100_000])
def test_time_is_linear_in_the_length(text: str) -> None:
    started = time.process_time()

    sentence_spans(text)

    assert time.process_time() - started < 5
