"""What can be refused about organisations and who belongs to them. Codes are part of the API."""

from typing import ClassVar

from shared.kernel.errors import Kind, TesseraError


class ChangedMeanwhileError(TesseraError):
    """What a change relied on was changed by somebody else at the same time."""

    code: ClassVar[str] = "changed-meanwhile"
    kind: ClassVar[Kind] = Kind.CONFLICT


class EmailTakenError(TesseraError):
    """There is an account of this address already."""

    code: ClassVar[str] = "email-taken"
    kind: ClassVar[Kind] = Kind.CONFLICT
