"""Real documents of every format end as their README says, and what is asked about them is in their text."""

import json
import unicodedata
from functools import cache
from typing import Any

import pytest

from shared.adapters.parsing.child_process import ChildProcessParser
from shared.documents.canonical import BlockKind, CanonicalText, DocumentWarning
from shared.documents.ports import RejectedDocumentError
from shared.documents.rejections import RejectionReason, reason_of
from tests.shared_data import DATA, require_shared_data

_DOCUMENTS = DATA / "documents"
_PAGES = {
    "pki-newsletter-columns.pdf": 5,
    "pacs-guidance-38p.pdf": 38,
    "repair-invoice-3p.pdf": 3,
    "inventory-borderless-table.pdf": 2,
    "word-processor-history-5p.pdf": 5,
    "ficam-goals.pptx": 2,
    "autogen-slides.pptx": 6,
    "frtc-workbook.xlsx": 2,
    "trustee-handbook.docx": 0,
    "gap-analysis.docx": 0,
    "country-codes.csv": 0,
    "names-cp932.csv": 0,
    "policy-schema.json": 0,
    "sp800-63b-authenticators.md": 0,
    "duck-wikipedia.html": 0,
    "europe-cp1252.html": 0,
    "plain-html-differ.eml": 0,
    "udhr-article-1.txt": 0,
}
_texts: dict[str, CanonicalText] = {}


async def text_of(name: str) -> CanonicalText:
    require_shared_data()
    if name not in _texts:
        _texts[name] = await ChildProcessParser().parse(name, (_DOCUMENTS / name).read_bytes())
    return _texts[name]


@cache
def facts() -> list[dict[str, Any]]:
    return [json.loads(line) for line in (_DOCUMENTS / "facts.jsonl").read_text(encoding="utf-8").splitlines()]


def comparable(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).split())


@pytest.mark.parametrize("name", _PAGES)
async def test_a_document_is_read_with_its_pages(name: str) -> None:
    text = await text_of(name)

    assert len(text.pages) == _PAGES[name]
    assert DocumentWarning.HIDDEN_TEXT_REMOVED not in text.warnings
    assert "\ufffd" not in text.text
    assert [block.start for block in text.blocks] == sorted(block.start for block in text.blocks)
    if text.pages:
        assert (text.pages[0].start, text.pages[-1].end) == (0, len(text.text))


@pytest.mark.parametrize(
    ("name", "expected"),
    [("encrypted.pdf", RejectionReason.ENCRYPTED), ("scanned-no-text-layer.pdf", RejectionReason.NO_TEXT_LAYER)],
)
async def test_a_document_without_readable_text_is_rejected(name: str, expected: RejectionReason) -> None:
    with pytest.raises(RejectedDocumentError) as caught:
        await text_of(name)

    assert reason_of(caught.value) == expected


async def test_quotes_stand_in_the_text_and_on_their_page() -> None:
    require_shared_data()
    in_text, on_page, with_page = 0, 0, 0
    for fact in facts():
        text = await text_of(fact["document"])
        quote = comparable(fact["quote"])
        in_text += quote in comparable(text.text)
        if fact.get("page") or fact.get("sheet"):
            with_page += 1
            pages = [page for page in text.pages if page.number == fact.get("page") or page.label == fact.get("sheet")]
            on_page += any(quote in comparable(text.text[page.start : page.end]) for page in pages)

    print(f"quote in text {in_text}/{len(facts())}, on the right page {on_page}/{with_page}")
    assert in_text >= 0.97 * len(facts())
    assert on_page >= 0.97 * with_page


async def test_tables_inside_markdown_keep_their_text() -> None:
    text = await text_of("sp800-63b-authenticators.md")

    assert "<t" not in text.text
    assert any(block.kind is BlockKind.TABLE_ROW for block in text.blocks)


async def test_a_web_page_is_read_without_its_furniture() -> None:
    text = await text_of("duck-wikipedia.html")

    assert "Jump to content" not in text.text
    assert "Toggle the table of contents" not in text.text
    assert len(text.text) < 60_000


async def test_each_value_of_a_wide_table_says_what_it_is() -> None:
    text = await text_of("country-codes.csv")

    mongolia = next(block for block in text.blocks if block.header.endswith("Mongolia"))
    assert "ISO4217-currency_name: Tugrik" in text.text[mongolia.start : mongolia.end]


async def test_the_columns_of_a_newsletter_are_not_mixed() -> None:
    text = await text_of("pki-newsletter-columns.pdf")

    assert "to a cloud-based content delivery network solution" in comparable(text.text)


async def test_a_body_that_comes_twice_is_read_once() -> None:
    text = await text_of("plain-html-differ.eml")

    assert text.title == "Example MIME Email"
    assert text.text.count("393 recipients") == 1
