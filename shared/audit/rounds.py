"""Work that looks for itself what there is to do, asked for often: who asks together shares one run."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from functools import partial
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
R = TypeVar("R")


class Rounds(Generic[K, R]):
    """Runs `work` for a key, one run at a time; every call is answered by a run that began after the call."""

    def __init__(self, work: Callable[[K], Awaitable[R]]) -> None:
        self._work = work
        self._running: dict[K, asyncio.Task[R]] = {}
        self._next: dict[K, asyncio.Task[R]] = {}

    async def run(self, key: K) -> R:
        """Return what a run returns that begins now or, while one is under way, after it. Raises: what the run does."""
        waiting = self._next.get(key)
        if waiting is None:
            waiting = asyncio.create_task(self._begin(key, self._running.get(key)))
            self._next[key] = waiting
            # However it ends: an invocation may end with the run not even begun, and the process goes on.
            waiting.add_done_callback(partial(self._forget, key))
        return await asyncio.shield(waiting)

    async def _begin(self, key: K, before: "asyncio.Task[R] | None") -> R:
        if before is not None:
            await asyncio.wait([before])
        self._running[key] = self._next.pop(key)
        return await self._work(key)

    def _forget(self, key: K, ended: "asyncio.Task[R]") -> None:
        for tasks in (self._running, self._next):
            if tasks.get(key) is ended:
                del tasks[key]
