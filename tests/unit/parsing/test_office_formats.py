"""What Office files say, in the order in which they say it."""

import pytest

from shared.adapters.parsing.formats.docx import read_docx
from shared.adapters.parsing.formats.xlsx import read_xlsx
from shared.adapters.parsing.limits import ParseLimits
from shared.documents.canonical import BlockKind, CanonicalText, DocumentWarning
from shared.documents.ports import RejectedDocumentError
from shared.documents.rejections import RejectionReason, reason_of
from tests.unit.parsing.office_files import docx, paragraph, row, text_cell, xlsx

LIMITS = ParseLimits()


def blocks(text: CanonicalText) -> list[tuple[BlockKind, str]]:
    return [(block.kind, text.text[block.start : block.end]) for block in text.blocks]


def test_headings_follow_the_outline_level_of_their_style() -> None:
    styles = (
        '<w:style w:styleId="H"><w:name w:val="heading 2"/></w:style>'
        '<w:style w:styleId="Mine"><w:name w:val="Mine"/><w:basedOn w:val="H"/></w:style>'
    )

    text = read_docx(docx(paragraph("Notice", '<w:pStyle w:val="Mine"/>') + paragraph("Thirty days."), styles), LIMITS)

    assert [(block.kind, block.level) for block in text.blocks] == [(BlockKind.HEADING, 2), (BlockKind.PARAGRAPH, 0)]


def test_runs_of_different_style_are_one_sentence_without_marks() -> None:
    bold = "<w:r><w:rPr><w:b/></w:rPr><w:t>notice</w:t></w:r>"
    body = f"<w:p><w:r><w:t>The </w:t></w:r>{bold}<w:r><w:t> period</w:t></w:r></w:p>"

    assert read_docx(docx(body), LIMITS).text == "The notice period"


def test_deleted_and_hidden_text_is_left_out_and_hidden_text_is_flagged() -> None:
    body = paragraph("Seen.") + "<w:p><w:del><w:r><w:delText>gone</w:delText></w:r></w:del></w:p>"

    text = read_docx(docx(body + paragraph("secret", run="<w:vanish/>")), LIMITS)

    assert text.text == "Seen."
    assert text.warnings == (DocumentWarning.HIDDEN_TEXT_REMOVED,)


def test_table_rows_keep_their_cells_and_know_their_columns() -> None:
    def cells(*texts: str) -> str:
        return "<w:tr>" + "".join(f"<w:tc>{paragraph(text)}</w:tc>" for text in texts) + "</w:tr>"

    text = read_docx(
        docx("<w:tbl>" + cells("Name", "Price") + cells("Pear", "2") + cells("Apple", "3") + "</w:tbl>"), LIMITS
    )

    assert [kind for kind, _ in blocks(text)] == [BlockKind.TABLE_ROW] * 3
    assert text.blocks[2].header == "Name | Price"
    assert blocks(text)[2][1] == "Apple\t3"


def test_sheets_are_pages_and_values_have_names() -> None:
    rows = row(text_cell("A1", "Name"), text_cell("C1", "Price")) + row(
        text_cell("A2", "Pear"), '<c r="C2"><v>2.5</v></c>'
    )

    text = read_xlsx(xlsx(("Fruit", rows), ("Notes", row(text_cell("A1", "A note.")))), LIMITS)

    assert [(page.label, page.number) for page in text.pages] == [("Fruit", 1), ("Notes", 2)]
    assert "Name: Pear\nPrice: 2.5" in text.text


def test_dates_read_as_dates_and_formulas_as_text() -> None:
    styles = '<cellXfs><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs>'
    rows = row('<c r="A1" s="1"><v>45000</v></c>', '<c r="B1"><f>SUM(A1:A2)</f></c>', '<c r="C1" t="b"><v>1</v></c>')

    assert read_xlsx(xlsx(("S", rows), styles=styles), LIMITS).text == "2023-03-15\t=SUM(A1:A2)\tTRUE"


def test_an_element_tree_that_is_too_deep_is_rejected() -> None:
    with pytest.raises(RejectedDocumentError) as caught:
        read_docx(docx("<w:sdt>" * 300 + "</w:sdt>" * 300), LIMITS)

    assert reason_of(caught.value) == RejectionReason.TOO_COMPLEX
