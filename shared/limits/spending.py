"""What a request spends while it runs, told by whatever spends it to whoever settles it; nothing lies between."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(slots=True)
class Spending:
    """What one request spent so far."""

    tokens: int = 0


_current: ContextVar[Spending | None] = ContextVar("spending", default=None)


def spend_tokens(tokens: int) -> None:
    """Note that the present request let a model read `tokens` of its caller's; outside a request nobody pays."""
    spending = _current.get()
    if spending is not None:
        spending.tokens += tokens


@contextmanager
def metered() -> Iterator[Spending]:
    """Gather what is spent in the block, also by tasks that it starts."""
    spending = Spending()
    token = _current.set(spending)
    try:
        yield spending
    finally:
        _current.reset(token)
