"""What the driver raises, as failures that a caller can act on."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import asyncpg

from shared.kernel.databases import DatabaseBusyError, DatabaseUnavailableError

_log = logging.getLogger("tessera.database")

LOST: Final = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # what a farewell of the server in the middle of a transaction leaves the driver in
    asyncpg.CannotConnectNowError,
    asyncpg.InvalidAuthorizationSpecificationError,
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
        _log.warning("database busy", exc_info=error)
        raise DatabaseBusyError from error
    except LOST as error:
        if isinstance(error, ValueError):  # an argument that does not fit is a defect, whatever its other base says
            raise
        _log.warning("database out of reach", exc_info=error)
        raise DatabaseUnavailableError from error
