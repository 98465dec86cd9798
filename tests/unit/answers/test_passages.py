"""What of a chunk can be quoted."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from shared.answers.passages import LONGEST_SENTENCE, passages_of
from shared.documents.canonical import Block, BlockKind, CanonicalText
from tests.unit.answers.parts import hit, plain


def quotes(text: CanonicalText, start: int = 0, end: int | None = None) -> list[str]:
    return [passage.text for passage in passages_of(hit(1, text.text, start, end), 0, text)]


def test_a_sentence_that_the_chunk_cuts_is_quoted_whole():
    text = plain("One is first. Two is second. Three is third.")

    assert quotes(text, 5, 20) == ["One is first.", "Two is second."]


def test_rows_items_and_headings_are_quoted_whole():
    parts = [
        (BlockKind.HEADING, "Prices. Valid from May."),
        (BlockKind.TABLE_ROW, "Tea | 2.50 €. No milk."),
        (BlockKind.LIST_ITEM, "Ask. We help."),
        (BlockKind.PARAGRAPH, "Open daily. Closed on Monday."),
    ]
    blocks, text = [], ""
    for kind, part in parts:
        blocks.append(Block(kind, len(text), len(text) + len(part), header="Drink | Price"))
        text += part + "\n\n"

    found = quotes(CanonicalText(text, "md", blocks=tuple(blocks)))

    assert found == [*(part for _, part in parts[:3]), "Open daily.", "Closed on Monday."]


def test_a_row_brings_the_names_of_its_columns():
    text = CanonicalText("Tea | 2.50", "csv", blocks=(Block(BlockKind.TABLE_ROW, 0, 10, header="Drink | Price"),))

    (passage,) = passages_of(hit(1, text.text), 0, text)

    assert (passage.kind, passage.header) == (BlockKind.TABLE_ROW, "Drink | Price")


def test_a_form_without_sentences_is_quoted_by_groups_of_lines():
    lines = [f"Item {number} costs {number * 7} euros including all taxes and fees" for number in range(40)]
    text = plain("\n".join(lines))
    block = Block(BlockKind.PARAGRAPH, 0, len(text.text))

    found = quotes(CanonicalText(text.text, "pdf", blocks=(block,)))

    assert all(len(quote) <= LONGEST_SENTENCE for quote in found)
    assert "\n".join(found) == text.text


def test_only_what_shares_a_character_with_the_chunk_is_quoted():
    text = plain("Alpha is here.\n\nBeta is there.\n\nGamma is gone.")

    assert quotes(text, 16, 30) == ["Beta is there."]


def test_each_passage_knows_the_one_before_it():
    text = plain("Ada wrote it. She was first.")

    assert [passage.before for passage in passages_of(hit(1, text.text), 0, text)] == ["", "Ada wrote it."]


@given(st.text(alphabet="aB .\n!🧭", max_size=200), st.data())
def test_passages_are_spans_of_the_text_in_order(text, data):
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))

    found = passages_of(hit(1, text, start, end), 0, plain(text))

    assert all(text[passage.start : passage.end] == passage.text for passage in found)
    assert all(passage.start < end and passage.end > start for passage in found)
    assert all(left.end <= right.start for left, right in pairwise(found))
