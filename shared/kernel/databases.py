"""What callers are told when a database is not there, does not answer, or is busy."""

from typing import ClassVar, Final

from shared.kernel.errors import Kind, TesseraError

RETRY_AFTER_S: Final = 5.0
"""A cluster that slept wakes within half a minute; one that failed over, within about one."""


class NoDatabaseError(TesseraError):
    """This deployment has no database, so nothing can be asked of one."""

    code: ClassVar[str] = "no-database"
    kind: ClassVar[Kind] = Kind.UNAVAILABLE

    def __init__(self) -> None:
        super().__init__(
            "This deployment has no database. Who runs it sets database_capacity; the audit log itself is kept and "
            "verified without one."
        )


class DatabaseUnavailableError(TesseraError):
    """The database does not answer, or not in time; nothing was changed, or it is not known whether something was."""

    code: ClassVar[str] = "database-unavailable"
    kind: ClassVar[Kind] = Kind.UNAVAILABLE

    def __init__(self, retry_after_s: float = RETRY_AFTER_S) -> None:
        super().__init__("The database does not answer right now. Try again shortly.")
        self.retry_after_s = retry_after_s


class DatabaseBusyError(DatabaseUnavailableError):
    """The question took longer than it may; asked again, or more narrowly, it may not."""

    code: ClassVar[str] = "database-busy"
