"""One SQLite file that threads and processes share: connections, transactions, and what their failures mean."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import apsw
import sqlite_vec

from shared.retrieval.ports import IndexUnavailableError

BUSY_TIMEOUT_S: Final = 20.0

_TRANSIENT: Final = (
    apsw.BusyError,
    apsw.CantOpenError,
    apsw.FullError,
    apsw.IOError,
    apsw.InterruptError,
    apsw.LockedError,
    apsw.ReadOnlyError,
)


class Database:
    """A pool of connections to one file. A connection serves one thread at a time; writers of all processes queue."""

    def __init__(self, path: Path, schema: str, busy_timeout_s: float = BUSY_TIMEOUT_S) -> None:
        self._path = path
        self._schema = schema
        self._busy_timeout_s = busy_timeout_s
        self._lock = threading.Lock()
        self._idle: list[apsw.Connection] = []

    @contextmanager
    def reading(self) -> Iterator[apsw.Connection]:
        """Give a connection that sees one state of the file until the end. Raises: IndexUnavailableError."""
        with self._transaction("BEGIN") as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[apsw.Connection]:
        """Give the connection that alone may write; all of it is durable at the end, or none.

        The lock is taken before the first read, so a transaction never fails half way for having read too early.
        Raises: IndexUnavailableError after waiting for other writers in vain.
        """
        with self._transaction("BEGIN IMMEDIATE") as connection:
            yield connection

    def close(self) -> None:
        """Close the idle connections; a later call opens new ones."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[apsw.Connection]:
        try:
            connection = self._take()
            try:
                connection.execute(begin)
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                # A connection that failed is not trusted again; closing it rolls back.
                connection.close(True)
                raise
        except _TRANSIENT as error:
            raise IndexUnavailableError(
                f"The index file could not be used ({type(error).__name__}); try again, and look at the disk."
            ) from error
        with self._lock:
            self._idle.append(connection)

    def _take(self) -> apsw.Connection:
        with self._lock:
            if self._idle:
                return self._idle.pop()
        return self._open()

    def _open(self) -> apsw.Connection:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        deadline = time.monotonic() + self._busy_timeout_s
        while True:
            connection = apsw.Connection(str(self._path))
            try:
                self._prepare(connection)
            except apsw.BusyError:
                # Turning a new file to write-ahead logging does not honour the busy timeout.
                connection.close(True)
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)
            except BaseException:
                connection.close(True)
                raise
            else:
                return connection

    def _prepare(self, connection: apsw.Connection) -> None:
        connection.set_busy_timeout(int(self._busy_timeout_s * 1000))
        connection.enable_load_extension(True)
        connection.load_extension(sqlite_vec.loadable_path())
        connection.enable_load_extension(False)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")  # what write() returns from, a power cut does not take back
        connection.execute("PRAGMA cache_size = -32768")  # KiB, for each of a handful of connections
        if connection.pragma("user_version") == 0:
            connection.execute(f"BEGIN IMMEDIATE; {self._schema}; PRAGMA user_version = 1; COMMIT")
