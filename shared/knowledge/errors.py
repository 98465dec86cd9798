"""What can be refused about knowledge bases and documents. Codes are part of the API."""

from typing import ClassVar

from shared.kernel.errors import Kind, TesseraError


class KnowledgeBaseNotFoundError(TesseraError):
    """No such knowledge base in this tenant; also when it belongs to another tenant, or was deleted."""

    code: ClassVar[str] = "knowledge-base-not-found"
    kind: ClassVar[Kind] = Kind.MISSING


class KnowledgeBaseReindexingError(TesseraError):
    """The change would need a second re-index while one is still running."""

    code: ClassVar[str] = "knowledge-base-reindexing"
    kind: ClassVar[Kind] = Kind.CONFLICT


class InvalidConfigurationError(TesseraError):
    code: ClassVar[str] = "invalid-configuration"
    kind: ClassVar[Kind] = Kind.INVALID


class DocumentNotFoundError(TesseraError):
    """No such document in this knowledge base, or it was deleted."""

    code: ClassVar[str] = "document-not-found"
    kind: ClassVar[Kind] = Kind.MISSING


class DuplicateDocumentError(TesseraError):
    """The knowledge base already holds these bytes; `document_id` in the facts names where."""

    code: ClassVar[str] = "duplicate-document"
    kind: ClassVar[Kind] = Kind.CONFLICT


class DocumentLimitError(TesseraError):
    """The knowledge base holds as many documents as it may."""

    code: ClassVar[str] = "document-limit-reached"
    kind: ClassVar[Kind] = Kind.CONFLICT


class CapacityExhaustedError(TesseraError):
    """The tenant has as much of something as its plan allows; `what` in the facts names it. Waiting does not help."""

    code: ClassVar[str] = "quota-exhausted"
    kind: ClassVar[Kind] = Kind.LIMITED

    def __init__(self, what: str, limit: int, used: int) -> None:
        super().__init__(
            f"Your plan's {what.replace('_', ' ')} do not allow more: {used:,} of {limit:,} are in use. "
            "Delete some, or move to a larger plan.",
            what=what,
            limit=limit,
            used=used,
        )


class DocumentLimitAbovePlanError(TesseraError):
    """A knowledge base may not be given a higher limit than the tenant's plan has."""

    code: ClassVar[str] = "document-limit-above-plan"
    kind: ClassVar[Kind] = Kind.INVALID


class NoPlaceError(Exception):
    """As many documents of the tenant are processed as may be, or others wait for a place; never leaves the domain."""


class DocumentTooLargeError(TesseraError):
    code: ClassVar[str] = "document-too-large"
    kind: ClassVar[Kind] = Kind.TOO_LARGE


class InvalidMetadataError(TesseraError):
    """Metadata of a document does not fit the fields that its knowledge base declares."""

    code: ClassVar[str] = "invalid-metadata"
    kind: ClassVar[Kind] = Kind.INVALID


class NothingToCancelError(TesseraError):
    code: ClassVar[str] = "nothing-to-cancel"
    kind: ClassVar[Kind] = Kind.CONFLICT


class NothingToRetryError(TesseraError):
    code: ClassVar[str] = "nothing-to-retry"
    kind: ClassVar[Kind] = Kind.CONFLICT


class ContentGoneError(TesseraError):
    """The document is known, but what was asked of it (its original, its text) is not there now."""

    code: ClassVar[str] = "content-not-available"
    kind: ClassVar[Kind] = Kind.MISSING


class StaleWriteError(TesseraError):
    """Something that a commit relied on changed since it was read: read again and decide again."""

    code: ClassVar[str] = "stale-write"
    kind: ClassVar[Kind] = Kind.CONFLICT


class RetryLaterError(TesseraError):
    """A delivery cannot be served now; it comes again after `retry_after_s` seconds."""

    code: ClassVar[str] = "retry-later"
    kind: ClassVar[Kind] = Kind.UNAVAILABLE

    def __init__(self, message: str, retry_after_s: float, **facts: str | int) -> None:
        super().__init__(message, **facts)
        self.retry_after_s = retry_after_s


class BusyError(RetryLaterError):
    """Another delivery of the same work holds the lease, or the work rests between two attempts. Not an attempt."""

    code: ClassVar[str] = "work-is-leased"


class AttemptFailedError(RetryLaterError):
    """One counted attempt failed; the cause is chained, the next attempt comes after a back-off."""

    code: ClassVar[str] = "attempt-failed"


class AttemptsExhaustedError(TesseraError):
    """The last counted attempt failed: the document says so, and the message goes on to the dead-letter queue."""

    code: ClassVar[str] = "attempts-exhausted"
    kind: ClassVar[Kind] = Kind.UNAVAILABLE
    retry_after_s: ClassVar[float] = 0
