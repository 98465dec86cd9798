"""An event loop in a thread of its own, so that connections outlive the invocation that opened them.

Every invocation of a function may run in a loop of its own, and an asyncio connection dies with its loop. Calls cross
over in both directions, cancellations too.
"""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from functools import cached_property
from typing import Any, Final, TypeVar

T = TypeVar("T")

FAREWELL_TIMEOUT_S: Final = 10.0


class OwnLoop:
    """Starts its thread when it is first used: a snapshot of the process taken before holds no thread."""

    def __init__(self) -> None:
        self._starting = threading.Lock()

    @cached_property
    def _running(self) -> tuple[asyncio.AbstractEventLoop, threading.Thread]:
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=_serve, args=(loop,), name="tessera-database", daemon=True)
        thread.start()
        return loop, thread

    async def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run `work` over there and return what it returns; who is cancelled here, cancels it there."""
        with self._starting:
            loop, _ = self._running
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, loop))

    def close(self, farewell: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run `farewell` over there and end the thread; what still runs there is cancelled."""
        with self._starting:
            running = self.__dict__.pop("_running", None)
        if running is None:
            return
        loop, thread = running
        asyncio.run_coroutine_threadsafe(_end(farewell), loop)
        # The collector of garbage may have come by in that very thread, which then cannot be waited for.
        if thread is not threading.current_thread():
            thread.join(FAREWELL_TIMEOUT_S)


def _serve(loop: asyncio.AbstractEventLoop) -> None:
    loop.run_forever()
    loop.close()


async def _end(farewell: Callable[[], Coroutine[Any, Any, None]]) -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    try:
        await farewell()
    finally:
        # Connections that were cut are closed in the loop's next turns.
        for _ in range(3):
            await asyncio.sleep(0)
        asyncio.get_running_loop().stop()
