"""PDF: the text of each page as it reads, with headings, tables and lists by their place and type."""

import re
from itertools import zip_longest

from shared.adapters.parsing.formats.pdf_blocks import add_page
from shared.adapters.parsing.formats.pdf_fields import filled_fields
from shared.adapters.parsing.formats.pdf_hidden import without_hidden_text
from shared.adapters.parsing.formats.pdf_lines import page_lines
from shared.adapters.parsing.formats.pdf_structure import CheckedPdf
from shared.adapters.parsing.formats.pdf_typography import typography_of
from shared.adapters.parsing.limits import ParseLimits
from shared.documents.building import CanonicalBuilder
from shared.documents.canonical import BlockKind, CanonicalText, DocumentWarning
from shared.documents.rejections import RejectionReason, rejected

# Names of files and programs, which end up in the properties by themselves.
_NO_TITLE = re.compile(
    r"\.(?:docx?|pdf|indd|qxd|tex|pptx?)$|^microsoft |^untitled|^\(?anonymous|^\(?unspecified", re.IGNORECASE
)


def read_pdf(content: bytes, limits: ParseLimits) -> CanonicalText:
    """Return the text of a PDF with its pages.

    Raises: RejectedDocumentError, among others where no page has a text layer.
    """
    checked = CheckedPdf(content, limits)
    builder = CanonicalBuilder("pdf", max_characters=limits.characters)
    visible, warnings = without_hidden_text(checked, content)
    for warning in sorted(warnings):
        builder.warn(warning)
    pages = list(page_lines(visible))
    fields = [filled_fields(page) for page in checked.pages]
    if not any(pages) and not any(fields):
        raise rejected(RejectionReason.NO_TEXT_LAYER)
    if not all(pages):
        builder.warn(DocumentWarning.TEXT_IN_IMAGES)
    typography = typography_of(pages)
    for lines, filled in zip_longest(pages, fields, fillvalue=()):
        builder.begin_page()
        add_page(builder, lines, typography)
        builder.begin_table()
        for line in filled:
            builder.add(BlockKind.TABLE_ROW, line)
    return builder.build(_title(checked))


def _title(checked: CheckedPdf) -> str | None:
    """Return the title in the file's properties, unless a program put the name of a file there."""
    title = checked.property_title()
    return None if title is None or _NO_TITLE.search(title) else title
