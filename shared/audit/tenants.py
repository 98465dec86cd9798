"""Work that is done for many tenants in turn: one whose log is broken keeps nobody else's waiting."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeVar

from shared.kernel.ids import TenantId

R = TypeVar("R")

_AT_ONCE: Final = 8


async def for_each(tenants: Sequence[TenantId], work: Callable[[TenantId], Awaitable[R]]) -> list[R]:
    """Do `work` for each of `tenants`, several at once; return what it returned, in their order.

    Raises: ExceptionGroup of all failures, when everything else is done.
    """
    free = asyncio.Semaphore(_AT_ONCE)

    async def do(tenant: TenantId) -> R:
        async with free:
            return await work(tenant)

    results = await asyncio.gather(*map(do, tenants), return_exceptions=True)
    failures = [result for result in results if isinstance(result, Exception)]
    if failures:
        raise ExceptionGroup("The audit logs of some tenants were left out.", failures)
    return [result for result in results if not isinstance(result, BaseException)]
