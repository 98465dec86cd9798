"""PDF: the text of each page as it reads, wrapped lines joined, headings by their type size."""

import re
from collections.abc import Sequence
from typing import Any

from kreuzberg import ExtractionConfig, HierarchyConfig, KreuzbergError, PageConfig, PdfConfig, extract_bytes_sync

from shared.adapters.parsing.formats.pdf_hidden import without_hidden_text
from shared.adapters.parsing.formats.pdf_lines import joined_lines
from shared.adapters.parsing.formats.pdf_structure import CheckedPdf
from shared.adapters.parsing.limits import ParseLimits
from shared.documents.building import CanonicalBuilder
from shared.documents.canonical import BlockKind, CanonicalText, DocumentWarning
from shared.documents.normalisation import in_one_line
from shared.documents.rejections import RejectionReason, rejected

# Names of files and programs, which end up in the properties by themselves.
_NO_TITLE = re.compile(
    r"\.(?:docx?|pdf|indd|qxd|tex|pptx?)$|^microsoft |^untitled|^\(?anonymous|^unspecified", re.IGNORECASE
)
_LONGEST_HEADING = 120
# Where more lines than this are "headings", their size says nothing (forms, posters).
_MOST_HEADINGS = 0.25


def read_pdf(content: bytes, limits: ParseLimits) -> CanonicalText:
    """Return the text of a PDF with its pages.

    Raises: RejectedDocumentError, among others where no page has a text layer.
    """
    checked = CheckedPdf(content, limits)
    builder = CanonicalBuilder("pdf", max_characters=limits.characters)
    content, warnings = without_hidden_text(checked, content)
    for warning in sorted(warnings):
        builder.warn(warning)
    extracted = _extract(content)
    pages = [str(page["content"]) for page in extracted.pages or ()]
    if not any(page.strip() for page in pages):
        raise rejected(RejectionReason.NO_TEXT_LAYER)
    if not all(page.strip() for page in pages):
        builder.warn(DocumentWarning.TEXT_IN_IMAGES)
    headings = _headings(extracted.document, pages)
    for number, page in enumerate(pages, start=1):
        builder.begin_page()
        _add_page(builder, page, headings.get(number, {}))
    return builder.build(_title(checked))


def _extract(content: bytes) -> Any:
    """Let kreuzberg read the pages; recognition of images stays off, as do its caches and clean-ups."""
    config = ExtractionConfig(  # type: ignore[call-arg]  # its stub lacks disable_ocr
        use_cache=False,
        disable_ocr=True,
        enable_quality_processing=False,
        output_format="markdown",  # only then does it report headings; the pages' own text stays plain
        include_document_structure=True,
        pages=PageConfig(extract_pages=True),
        pdf_options=PdfConfig(hierarchy=HierarchyConfig(enabled=True)),
    )
    try:
        return extract_bytes_sync(content, "application/pdf", config)
    except KreuzbergError as error:
        reason = RejectionReason.ENCRYPTED if "password" in str(error).lower() else RejectionReason.MALFORMED
        raise rejected(reason) from error


def _headings(document: Any, pages: Sequence[str]) -> dict[int, dict[str, int]]:
    """Return the level of each heading line, by page number; nothing where headings cannot be told from the rest."""
    nodes = (document or {}).get("nodes", ())
    found: dict[int, dict[str, int]] = {}
    count = 0
    for node in nodes:
        inner = node.get("content", {})
        if inner.get("node_type") != "heading":
            continue
        text = in_one_line(str(inner.get("text", "")))
        if _may_be_heading(text):
            found.setdefault(int(node.get("page") or 0), {})[text] = min(6, max(1, int(inner.get("level", 1))))
            count += 1
    lines = sum(page.count("\n") + 1 for page in pages)
    return found if count <= _MOST_HEADINGS * lines else {}


def _may_be_heading(text: str) -> bool:
    is_wordy = any(character.isalpha() for character in text)
    return is_wordy and 2 <= len(text) <= _LONGEST_HEADING and text[-1] not in ".,;"


def _add_page(builder: CanonicalBuilder, page: str, headings: dict[str, int]) -> None:
    paragraph: list[str] = []

    def end_paragraph() -> None:
        for text in joined_lines(paragraph):
            builder.add(BlockKind.PARAGRAPH, text)
        paragraph.clear()

    for line in page.splitlines():
        level = headings.get(in_one_line(line))
        if level is None:
            paragraph.append(line)
        else:
            end_paragraph()
            builder.add(BlockKind.HEADING, line, level=level)
    end_paragraph()


def _title(checked: CheckedPdf) -> str | None:
    """Return the title in the file's properties, unless a program put the name of a file there."""
    title = checked.property_title()
    return None if title is None or _NO_TITLE.search(title) else title
