"""Why a file does not become a document, in codes that never change and words that a user understands (K3)."""

from enum import StrEnum

from shared.documents.ports import RejectedDocumentError


class RejectionReason(StrEnum):
    """A stable reason code; it stands in the document's status and in problem documents."""

    EMPTY = "empty"
    NO_TEXT = "no_text"
    NO_TEXT_LAYER = "no_text_layer"
    ENCRYPTED = "encrypted"
    WRONG_TYPE = "wrong_type"
    UNSUPPORTED_TYPE = "unsupported_type"
    NOT_TEXT = "not_text"
    TOO_LARGE = "too_large"
    EXPANDS_TOO_MUCH = "expands_too_much"
    TOO_MANY_PAGES = "too_many_pages"
    TOO_COMPLEX = "too_complex"
    UNSAFE_CONTENT = "unsafe_content"
    MALFORMED = "malformed"
    TIME_LIMIT = "time_limit"
    MEMORY_LIMIT = "memory_limit"
    PARSER_FAILED = "parser_failed"


_MESSAGES = {
    RejectionReason.EMPTY: "The file is empty. Upload it again.",
    RejectionReason.NO_TEXT: "The file contains no readable text. Upload a file with text in it.",
    RejectionReason.NO_TEXT_LAYER: "The pages are images without text. Run text recognition (OCR) over the file first.",
    RejectionReason.ENCRYPTED: "The file is protected by a password. Remove the protection and upload it again.",
    RejectionReason.WRONG_TYPE: "The content is of another type than the name says. Give the file its right extension.",
    RejectionReason.UNSUPPORTED_TYPE: "Unsupported type. Use txt, md, html, pdf, docx, pptx, xlsx, csv, json or eml.",
    RejectionReason.NOT_TEXT: "The file is binary, not text. Upload it in one of the supported formats.",
    RejectionReason.TOO_LARGE: "The file, or the text in it, is too large. Split it into smaller files.",
    RejectionReason.EXPANDS_TOO_MUCH: "The file unpacks to far more than its size. Save it again with its own program.",
    RejectionReason.TOO_MANY_PAGES: "The document has too many pages. Split it into smaller documents.",
    RejectionReason.TOO_COMPLEX: "Something in it is nested too deeply, too long, or too many. Simplify or split it.",
    RejectionReason.UNSAFE_CONTENT: "The file declares an XML document type. Save it again with its own program.",
    RejectionReason.MALFORMED: "The file is damaged or incomplete. Open it in its own program and save it again.",
    RejectionReason.TIME_LIMIT: "Reading the file took too long. Split it into smaller files.",
    RejectionReason.MEMORY_LIMIT: "Reading the file needs too much memory. Split it into smaller files.",
    RejectionReason.PARSER_FAILED: "The file could not be read. Save it again, or in another format.",
}


def rejected(reason: RejectionReason, detail: str = "") -> RejectedDocumentError:
    """Return the error for `reason`, to be raised; `detail` is a short fact for the user, such as the limit met."""
    facts = {"detail": detail} if detail else {}
    return RejectedDocumentError(_MESSAGES[reason], reason=reason.value, **facts)


def reason_of(error: RejectedDocumentError) -> RejectionReason:
    """Return the reason that `error` was made for."""
    return RejectionReason(str(error.facts["reason"]))
