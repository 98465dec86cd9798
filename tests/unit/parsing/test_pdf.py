"""What a reader of a PDF's pages sees, in its structure."""

import io
from collections.abc import Callable

import pytest
from reportlab.lib.colors import HexColor, white
from reportlab.pdfgen.canvas import Canvas

from shared.adapters.parsing.formats.pdf import read_pdf
from shared.adapters.parsing.limits import ParseLimits
from shared.documents.canonical import BlockKind, CanonicalText, DocumentWarning
from shared.documents.ports import RejectedDocumentError
from shared.documents.rejections import RejectionReason, reason_of

LIMITS = ParseLimits()


def drawn(*pages: Callable[[Canvas], None]) -> bytes:
    output = io.BytesIO()
    canvas = Canvas(output, pagesize=(595, 842))
    for draw in pages:
        draw(canvas)
        canvas.showPage()
    canvas.save()
    return output.getvalue()


def lines(*texts: str, top: float = 780, size: float = 11, font: str = "Helvetica") -> Callable[[Canvas], None]:
    def draw(canvas: Canvas) -> None:
        canvas.setFont(font, size)
        for at, text in enumerate(texts):
            canvas.drawString(72, top - at * 1.2 * size, text)

    return draw


def both(*parts: Callable[[Canvas], None]) -> Callable[[Canvas], None]:
    def draw(canvas: Canvas) -> None:
        for part in parts:
            part(canvas)

    return draw


def blocks(text: CanonicalText) -> list[tuple[BlockKind, str]]:
    return [(block.kind, text.text[block.start : block.end]) for block in text.blocks]


PROSE = ("The notice period for this contract is thirty days from the day of the letter,", "counted in full days.")


def test_wrapped_lines_are_one_paragraph_under_their_heading() -> None:
    page = both(lines("1.1 Notice", font="Helvetica-Bold", size=14), lines(*PROSE, top=750))

    text = read_pdf(drawn(page), LIMITS)

    assert blocks(text) == [(BlockKind.HEADING, "1.1 Notice"), (BlockKind.PARAGRAPH, " ".join(PROSE))]


def test_cells_without_borders_are_divided_and_know_their_columns() -> None:
    def table(canvas: Canvas) -> None:
        for at, row in enumerate([("Item", "Amount", "Price"), ("Pear", "3", "2.50"), ("Apple", "", "1.20")]):
            canvas.setFont("Helvetica-Bold" if at == 0 else "Helvetica", 11)
            for column, cell in enumerate(row):
                canvas.drawString(72 + 150 * column, 600 - 20 * at, cell)

    text = read_pdf(drawn(both(lines(*PROSE), table)), LIMITS)

    assert blocks(text)[1:] == [
        (BlockKind.TABLE_ROW, "Item\tAmount\tPrice"),
        (BlockKind.TABLE_ROW, "Pear\t3\t2.50"),
        (BlockKind.TABLE_ROW, "Apple\t1.20"),
    ]
    assert text.blocks[-1].header == "Item | Amount | Price"


def test_pages_are_counted_and_a_page_of_images_is_reported() -> None:
    text = read_pdf(drawn(lines("First."), lambda canvas: canvas.rect(9, 9, 90, 90), lines("Third.")), LIMITS)

    assert [text.page_at(text.text.index(word)) for word in ("First", "Third")] == [1, 3]
    assert text.warnings == (DocumentWarning.TEXT_IN_IMAGES,)


@pytest.mark.parametrize("trick", ["white", "invisible", "tiny", "off the page"])
def test_hidden_text_is_removed_and_flagged(trick: str) -> None:
    def hide(canvas: Canvas) -> None:
        if trick == "white":
            canvas.setFillColor(white)
        canvas.setFont("Helvetica", 0.1 if trick == "tiny" else 11)
        x = -4_000 if trick == "off the page" else 72
        canvas.drawString(x, 500, "secret", mode=3 if trick == "invisible" else 0)

    text = read_pdf(drawn(both(lines("Seen by everyone."), hide)), LIMITS)

    assert text.text == "Seen by everyone."
    assert text.warnings == (DocumentWarning.HIDDEN_TEXT_REMOVED,)


def test_white_text_on_a_coloured_ground_is_visible() -> None:
    def banner(canvas: Canvas) -> None:
        canvas.setFillColor(HexColor("#003366"))
        canvas.rect(50, 480, 400, 60, fill=1)
        canvas.setFillColor(white)
        canvas.drawString(72, 500, "Banner")

    text = read_pdf(drawn(both(lines("Text."), banner)), LIMITS)

    assert "Banner" in text.text
    assert text.warnings == ()


def test_the_invisible_text_layer_of_a_scan_is_kept_and_flagged() -> None:
    text = read_pdf(drawn(lambda canvas: canvas.drawString(72, 500, "Recognised text", mode=3)), LIMITS)

    assert text.text == "Recognised text"
    assert text.warnings == (DocumentWarning.HIDDEN_TEXT_KEPT,)


def test_what_was_typed_into_a_form_is_read() -> None:
    def form(canvas: Canvas) -> None:
        canvas.acroForm.textfield(name="city", tooltip="City of birth", value="Oslo", x=72, y=500)

    text = read_pdf(drawn(both(lines("Please fill in."), form)), LIMITS)

    assert "City of birth: Oslo" in text.text


def test_a_pdf_without_text_is_rejected() -> None:
    with pytest.raises(RejectedDocumentError) as caught:
        read_pdf(drawn(lambda canvas: canvas.rect(9, 9, 90, 90)), LIMITS)

    assert reason_of(caught.value) == RejectionReason.NO_TEXT_LAYER


def test_too_many_pages_are_rejected() -> None:
    with pytest.raises(RejectedDocumentError) as caught:
        read_pdf(drawn(*[lines("x")] * 3), ParseLimits(pages=2))

    assert reason_of(caught.value) == RejectionReason.TOO_MANY_PAGES
