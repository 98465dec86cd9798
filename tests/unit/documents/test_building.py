"""Blocks and pages point at exactly what was put in."""

import pytest

from shared.documents.building import CanonicalBuilder
from shared.documents.canonical import BlockKind, DocumentWarning
from shared.documents.ports import RejectedDocumentError
from shared.documents.rejections import RejectionReason, reason_of


def new_builder(max_characters: int = 1_000) -> CanonicalBuilder:
    return CanonicalBuilder("txt", max_characters=max_characters)


def test_blocks_hold_their_text() -> None:
    builder = new_builder()
    builder.add(BlockKind.HEADING, " Title\u00a0here ", level=1)
    builder.add(BlockKind.PARAGRAPH, "  ")
    builder.add(BlockKind.PARAGRAPH, "Body\r\ntext")

    text = builder.build()

    assert [text.text[block.start : block.end] for block in text.blocks] == ["Title here", "Body\ntext"]
    assert text.title == "Title here"
    assert text.pages == ()


def test_pages_cover_the_text_and_may_be_empty() -> None:
    builder = new_builder()
    builder.begin_page("first")
    builder.add(BlockKind.PARAGRAPH, "one")
    builder.begin_page("empty")
    builder.begin_page("third")
    builder.add(BlockKind.PARAGRAPH, "three")

    text = builder.build()

    assert [(page.start, page.end, page.label) for page in text.pages] == [
        (0, 3, "first"),
        (3, 3, "empty"),
        (3, 10, "third"),
    ]
    assert text.page_at(text.text.index("three")) == 3


def test_rows_of_one_table_stand_together() -> None:
    builder = new_builder()
    for row in ("a\t1", "b\t2"):
        builder.add(BlockKind.TABLE_ROW, row, header="name | value")
    builder.begin_table()
    builder.add(BlockKind.TABLE_ROW, "c\t3")

    assert builder.build().text == "a\t1\nb\t2\n\nc\t3"


def test_a_heading_further_down_is_no_title() -> None:
    builder = new_builder()
    for _ in range(3):
        builder.add(BlockKind.PARAGRAPH, "text")
    builder.add(BlockKind.HEADING, "Chapter", level=1)

    assert builder.build().title is None


def test_hidden_characters_are_flagged_once() -> None:
    builder = new_builder()
    builder.add(BlockKind.PARAGRAPH, "a\u202eb")
    builder.add(BlockKind.PARAGRAPH, "a\u202eb")

    assert builder.build().warnings == (DocumentWarning.HIDDEN_TEXT_REMOVED,)


@pytest.mark.parametrize(("text", "reason"), [(" ", RejectionReason.NO_TEXT), ("x" * 11, RejectionReason.TOO_LARGE)])
def test_no_text_and_too_much_text_are_rejected(text: str, reason: RejectionReason) -> None:
    def build() -> None:
        builder = new_builder(max_characters=10)
        builder.add(BlockKind.PARAGRAPH, text)
        builder.build()

    with pytest.raises(RejectedDocumentError) as caught:
        build()

    assert reason_of(caught.value) == reason
