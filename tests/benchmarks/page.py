"""docs/benchmarks.md: a section per benchmark, each with the run that its figures come from."""

import os
import platform
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from tests.benchmarks.table import Table

HEAD: Final = (
    "# Benchmarks\n\nWritten by `make bench`, or a section at a time by `python -m tests.benchmarks NAME`. Ratios come "
    "from one run in which both sides take turns, so they hold on another machine; bare times do not.\n\n"
)
_SECTIONS: Final = re.compile(r"^(?=## )", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Run:
    """When and on what a benchmark ran. `load`: processes that were busy in the minute before it, of `cores`."""

    command: str
    began: datetime
    cores: int
    load: float

    @classmethod
    def of(cls, name: str) -> "Run":
        return cls(f"python -m tests.benchmarks {name}", datetime.now(UTC), os.cpu_count() or 1, os.getloadavg()[0])

    def __str__(self) -> str:
        machine = f"{self.cores} cores, {platform.machine()}, Python {platform.python_version()}"
        return f"`{self.command}`, {self.began:%Y-%m-%d}, {machine}; load before it {self.load:.1f}."


def section(table: Table, run: Run) -> str:
    return f"{table.as_markdown()}\n{run}\n"


def with_sections(page: str, sections: Sequence[str]) -> str:
    """Return the page with these sections in place of those of the same title; new ones stand at its end."""
    kept = {_title(one): one for one in _SECTIONS.split(page) if one.startswith("## ")}
    kept |= {_title(one): one for one in sections}
    return HEAD + "\n".join(one.rstrip("\n") + "\n" for one in kept.values())


def _title(one: str) -> str:
    return one.partition("\n")[0]
