"""What the driver raises, as failures that a caller can act on."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar, Final

import asyncpg

from shared.kernel.errors import Kind, TesseraError

RETRY_AFTER_S: Final = 5.0
"""A cluster that slept wakes within half a minute; one that failed over, within about one."""


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


LOST: Final = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.IdleSessionTimeoutError,
    OSError,
)
"""The connection is gone, or never was."""

BUSY: Final = (
    asyncpg.QueryCanceledError,
    asyncpg.LockNotAvailableError,
    asyncpg.TooManyConnectionsError,
    asyncpg.InsufficientResourcesError,
    asyncpg.SerializationError,
    asyncpg.DeadlockDetectedError,
    TimeoutError,
)
"""The database answers others."""


@contextmanager
def told_to_callers() -> Iterator[None]:
    """Raises: DatabaseBusyError, DatabaseUnavailableError in place of what the driver raises inside."""
    try:
        yield
    except BUSY as error:
        raise DatabaseBusyError from error
    except LOST as error:
        if isinstance(error, ValueError):  # an argument that does not fit is a defect, whatever its other base says
            raise
        raise DatabaseUnavailableError from error
