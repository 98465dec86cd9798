"""What the suite asks of AWS: each call to tables and buckets, whose operation it was and for whom it is signed."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from shared.adapters.aws.calls import Use
from shared.composition.tenant_access import CALLS, TRACE


@dataclass(frozen=True)
class Call:
    """One call: its uses name resources as they are declared, not as one emulator calls them."""

    operation: str
    tenant: str | None
    uses: tuple[Use, ...]


@dataclass
class Recorder(logging.Handler):
    """Listens to the logger of calls."""

    names: Mapping[str, str]
    calls: set[Call] = field(default_factory=set)

    def __post_init__(self) -> None:
        super().__init__(TRACE)

    __hash__ = logging.Handler.__hash__

    def emit(self, record: logging.LogRecord) -> None:
        told = record.__dict__
        uses = tuple(replace(use, address=self.names[use.address]) for use in told["uses"])
        self.calls.add(Call(told["operation"], told["tenant"], uses))


@contextmanager
def recording(names: Mapping[str, str]) -> Iterator[set[Call]]:
    """Record the calls of the block; `names` are the declared names of resources by their addresses."""
    logger = logging.getLogger(CALLS)
    recorder = Recorder(names)
    before = logger.level, logger.propagate
    logger.addHandler(recorder)
    logger.setLevel(TRACE)
    logger.propagate = False
    try:
        yield recorder.calls
    finally:
        logger.removeHandler(recorder)
        logger.level, logger.propagate = before
