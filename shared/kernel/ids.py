"""Identifiers: each a type of its own, so that two cannot be swapped."""

import secrets
from datetime import UTC, datetime
from typing import Annotated, NewType

from pydantic import StringConstraints

TenantId = NewType("TenantId", str)
UserId = NewType("UserId", str)
UploadId = NewType("UploadId", str)
TaskId = NewType("TaskId", str)
KnowledgeBaseId = NewType("KnowledgeBaseId", Annotated[str, StringConstraints(pattern=r"^kb_[0-9a-z]{26}$")])
DocumentId = NewType("DocumentId", Annotated[str, StringConstraints(pattern=r"^doc_[0-9a-z]{26}$")])
WorkspaceId = NewType("WorkspaceId", Annotated[str, StringConstraints(pattern=r"^ws_[0-9a-z]{26}$")])
InvitationId = NewType("InvitationId", Annotated[str, StringConstraints(pattern=r"^inv_[0-9a-z]{26}$")])
ApiKeyId = NewType("ApiKeyId", Annotated[str, StringConstraints(pattern=r"^key_[0-9a-z]{26}$")])
IdentityProviderId = NewType("IdentityProviderId", Annotated[str, StringConstraints(pattern=r"^idp_[0-9a-z]{26}$")])

SessionId = NewType("SessionId", str)
"""`ses_…`: a family of refresh tokens; access tokens name theirs as `sid`."""

IdempotencyKey = NewType("IdempotencyKey", Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]{1,128}$")])
"""Chosen by a client for a request that it may send again; says nothing by itself."""

Generation = int
"""One accepted version of a document, counted from 1; 0 means none. Only rises."""

IndexGeneration = int
"""One way in which a whole knowledge base is chunked and embedded, counted from 1. Only rises."""

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_DIGITS = 26


def encode_base32(number: int, length: int) -> str:
    """Write `number` in Crockford's base 32, lower case, right-aligned to `length` digits."""
    digits = []
    for _ in range(length):
        digits.append(_ALPHABET[number & 31])
        number >>= 5
    return "".join(reversed(digits))


def new_id(prefix: str, now: datetime) -> str:
    """Return `prefix_` and 26 digits: 48 bits of milliseconds, 80 random bits; string order is time order.

    Source: the ULID layout (github.com/ulid/spec), lower case.
    """
    milliseconds = int(now.timestamp() * 1000)
    return f"{prefix}_{encode_base32((milliseconds << 80) | secrets.randbits(80), 26)}"


def moment_of_id(text: str) -> datetime:
    """Return when `new_id` made an id, to the millisecond. Raises: ValueError when it did not."""
    digits = text.rpartition("_")[2]
    if len(digits) != _DIGITS:
        raise ValueError("An id ends in 26 digits.")
    number = 0
    for digit in digits:
        number = number << 5 | _ALPHABET.index(digit)
    return datetime.fromtimestamp((number >> 80) / 1000, UTC)
