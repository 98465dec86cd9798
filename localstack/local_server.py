"""The life of a server on loopback, whatever it serves: found, started, waited for and ended in one way.

A server outlives the command that started it. Its folder holds, beside its data, its log and two small files: which
process it is, and the port it has or had last.
"""

import os
import signal
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final, Self

from localstack import process
from localstack.failures import LocalCloudError
from localstack.ports import HOST, free_ports, is_taken
from localstack.process import Process

Say = Callable[[str], None]
"""Tells a person who waits what is going on."""

SHOWN_LINES: Final = 15
PROGRESS_EVERY_S: Final = 10.0


def say_nothing(_: str) -> None:
    """Keep to oneself what is going on."""


class PortsTakenError(LocalCloudError):
    """Other programs have all the ports that a server could have."""

    def __init__(self, port: int) -> None:
        super().__init__(f"Port {port} on {HOST} is taken by another program.", "End that program, and try again.")


@dataclass(frozen=True, slots=True)
class LocalServer(ABC):
    """A server that runs. A subclass tells what is its own: its name, when it is ready, how it wants to be ended.

    `directory` is absolute. All servers of a directory have `FILES` of their own.
    """

    directory: Path
    port: int
    process: Process

    TITLE: ClassVar[str]
    FILES: ClassVar[str]
    """The name of its files: `<FILES>.log`, `<FILES>.port` and `<FILES>.json`."""
    START_TIMEOUT_S: ClassVar[float] = 60.0
    END_WITH: ClassVar[signal.Signals] = signal.SIGTERM
    GRACE_S: ClassVar[float] = 30.0
    """How long it may take to end once it is asked; what is left of its group then, is killed."""
    REMEDY: ClassVar[str] = "If the log does not tell the reason, begin anew: make clean run"

    @abstractmethod
    def is_ready(self, said: str) -> bool:
        """Answer whether it serves by now; `said` is what it has logged since it was started.

        Another program may have taken the port in the meantime, and answer there: what this very process says counts.
        """

    @property
    def endpoint(self) -> str:
        return f"http://{HOST}:{self.port}"

    def stop(self) -> None:
        """End the server; what it keeps stays in its folder."""
        self.process.stop(self.GRACE_S, self.END_WITH)
        self._process_file(self.directory).unlink(missing_ok=True)

    @classmethod
    def find(cls, directory: Path) -> Self | None:
        """Return the server that runs in `directory`, if one does."""
        directory = directory.resolve()
        running, port = process.load(cls._process_file(directory)), cls.last_port(directory)
        return None if running is None or port is None else cls(directory, port, running)

    @classmethod
    def stop_in(cls, directory: Path) -> bool:
        """End the server that runs in `directory`; answer whether one did."""
        running = cls.find(directory)
        if running is None:
            cls._process_file(directory).unlink(missing_ok=True)
            return False
        running.stop()
        return True

    @classmethod
    def has_died(cls, directory: Path) -> bool:
        """Answer whether the server of `directory` ended although nobody asked it to."""
        return cls._process_file(directory).exists() and cls.find(directory) is None

    @classmethod
    def last_process(cls, directory: Path) -> Process | None:
        """Return which process the server of `directory` is, or was when it ended without being asked to."""
        return process.remembered(cls._process_file(directory))

    @classmethod
    def last_port(cls, directory: Path) -> int | None:
        """Return the port that the server of `directory` has, or had when it last ran."""
        file = cls._port_file(directory)
        content = file.read_text(encoding="utf-8") if file.exists() else ""
        return int(content) if content.isdigit() else None

    @classmethod
    def ports_for(cls, directory: Path) -> Iterator[int]:
        """Give the port of last time, which people and settings may remember, and then free ones."""
        last = cls.last_port(directory)
        if last is not None:
            yield last
        yield from free_ports()

    @classmethod
    def launch(
        cls,
        directory: Path,
        ports: Iterable[int],
        command: Callable[[int], Sequence[str]],
        environment: Callable[[int], Mapping[str, str]] = lambda _: os.environ,
        say: Say = say_nothing,
    ) -> Self:
        """Start the server on the first of `ports` that nobody else takes; return when it is ready.

        `command` and `environment` are made for the port. `say` is told how long it takes when it takes long.
        Raises: PortsTakenError; LocalCloudError with the end of its log when it ends instead, or takes too long.
        """
        directory = directory.resolve()
        directory.mkdir(parents=True, exist_ok=True)
        port = 0
        for port in ports:
            if is_taken(port):
                continue
            try:
                return cls._launch_on(directory, port, command(port), environment(port), say)
            except LocalCloudError:
                if not is_taken(port):  # or else somebody was faster
                    raise
        raise PortsTakenError(port)

    @classmethod
    def _launch_on(
        cls, directory: Path, port: int, argv: Sequence[str], environment: Mapping[str, str], say: Say
    ) -> Self:
        log, last_port = cls.log_in(directory), cls.last_port(directory)
        begin = log.stat().st_size if log.exists() else 0
        started = cls(directory, port, process.start(argv, env=environment, log=log, directory=directory))
        try:
            cls._remember(directory, port)
            started.process.save(cls._process_file(directory))
            started._wait_until_ready(begin, say)
        except BaseException:
            started.stop()
            cls._remember(directory, last_port)
            raise
        return started

    def _wait_until_ready(self, begin: int, say: Say) -> None:
        began = time.monotonic()
        tell_at = PROGRESS_EVERY_S
        failure = f"did not come up within {self.START_TIMEOUT_S:.0f} s"
        while (waited := time.monotonic() - began) < self.START_TIMEOUT_S:
            is_running = self.process.is_running()
            said = self._said(begin)
            if not is_running:
                failure = "ended while it started"
                break
            if self.is_ready(said):
                return
            if waited > tell_at:
                say(f"{self.TITLE} is starting, for {waited:.0f} s by now")
                tell_at += PROGRESS_EVERY_S
            time.sleep(min(0.2, 0.02 + waited / 10))
        end = "\n".join(self._said(begin).splitlines()[-SHOWN_LINES:])
        raise LocalCloudError(
            f"{self.TITLE} {failure}. The end of its log ({self.log_in(self.directory)}):\n{end}", self.REMEDY
        )

    def _said(self, begin: int) -> str:
        with self.log_in(self.directory).open("rb") as log:
            log.seek(begin)
            return log.read().decode(errors="replace")

    @classmethod
    def _remember(cls, directory: Path, port: int | None) -> None:
        if port is None:
            cls._port_file(directory).unlink(missing_ok=True)
        else:
            process.write_whole(cls._port_file(directory), str(port))

    @classmethod
    def log_in(cls, directory: Path) -> Path:
        return directory / f"{cls.FILES}.log"

    @classmethod
    def _process_file(cls, directory: Path) -> Path:
        return directory / f"{cls.FILES}.json"

    @classmethod
    def _port_file(cls, directory: Path) -> Path:
        return directory / f"{cls.FILES}.port"
