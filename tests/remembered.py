"""What a library remembers of the apps of a process, which is right for a server that has one and not for a suite."""

from collections.abc import Callable
from typing import Final

from fastapi.dependencies import models

_REMEMBERED: Final[tuple[Callable[[], None], ...]] = tuple(
    found.cache_clear for found in vars(models).values() if hasattr(found, "cache_clear")
)


def forget_apps() -> None:
    """Let go of all apps: FastAPI keeps the functions of the last thousands of routes, and all that they hold.

    An app that somebody still uses is looked at again.
    """
    for forget in _REMEMBERED:
        forget()
