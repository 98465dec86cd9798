"""What document rules need from outside."""

from collections.abc import Sequence
from typing import ClassVar, Final, Protocol

from shared.documents.canonical import CanonicalText
from shared.kernel.errors import Kind, TesseraError

LARGEST_FILE_BYTES: Final = 64 * 2**20
"""No parser is given more: what a file grows to while it is parsed must stay below 1 GB (row K3)."""


class RejectedDocumentError(TesseraError):
    """The file will never become a document; `reason` (in facts) is a stable reason code from `RejectionReason`."""

    code: ClassVar[str] = "document-rejected"
    kind: ClassVar[Kind] = Kind.INVALID


class Parser(Protocol):
    """Turns a file into canonical text, in a child process with memory, CPU and wall limits (invariant 7)."""

    async def parse(self, name: str, content: bytes) -> CanonicalText:
        """Parse `content`; the type is decided by content, `name` only helps between text formats.

        Raises: RejectedDocumentError with a reason for anything that cannot or must not be parsed; nothing else,
        whatever the bytes. An empty text is a rejection.
        """
        ...


class Tokenizer(Protocol):
    """The embedder's own tokens, as spans."""

    def spans(self, text: str) -> Sequence[tuple[int, int]]:
        """Return `[start, end)` of every token of `text`, in order, without special tokens."""
        ...

    @property
    def limit(self) -> int:
        """How many tokens the embedder reads of one text, special tokens not counted."""
        ...
