"""Changes that read, decide and commit, and begin again when another change came in between."""

from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from shared.tenancy.errors import ChangedMeanwhileError

T = TypeVar("T")

_ATTEMPTS: Final = 10


async def until_settled(change: Callable[[], Awaitable[T]]) -> T:
    """Return what `change` returns, after ten attempts at most.

    Raises: ChangedMeanwhileError when all were overtaken.
    """
    for _ in range(_ATTEMPTS - 1):
        try:
            return await change()
        except ChangedMeanwhileError:
            continue
    return await change()
