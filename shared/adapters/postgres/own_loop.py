"""An event loop in a thread of its own, so that connections outlive the invocation that opened them.

Every invocation of a function may run in a loop of its own, and an asyncio connection dies with its loop. Calls cross
over in both directions, cancellations too.
"""

import asyncio
import threading
from collections.abc import Coroutine
from functools import cached_property
from typing import Any, TypeVar

T = TypeVar("T")


class OwnLoop:
    """Starts its thread when it is first used: a snapshot of the process taken before holds no thread."""

    def __init__(self) -> None:
        self._starting = threading.Lock()

    @cached_property
    def _running(self) -> asyncio.AbstractEventLoop:
        loop = asyncio.new_event_loop()
        threading.Thread(target=loop.run_forever, name="tessera-database", daemon=True).start()
        return loop

    async def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run `work` over there and return what it returns; who is cancelled here, cancels it there."""
        with self._starting:
            loop = self._running
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, loop))

    def close(self) -> None:
        """End the thread; what still runs there is cancelled."""
        if "_running" not in self.__dict__:
            return
        loop = self._running
        asyncio.run_coroutine_threadsafe(_cancel_all(), loop).result(timeout=10)
        loop.call_soon_threadsafe(loop.stop)
        while loop.is_running():
            threading.Event().wait(0.001)
        loop.close()
        del self.__dict__["_running"]


async def _cancel_all() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
