"""Whether what stands behind the API answers (U1): it names parts, never reasons, since anyone may ask."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import ClassVar, Final

from shared.kernel.errors import Kind, TesseraError

PATIENCE_S: Final = 2.0

Probe = Callable[[], Awaitable[object]]

_log = logging.getLogger("tessera.readiness")


class NotReadyError(TesseraError):
    """Something behind the API does not answer; `parts` (in facts) names it."""

    code: ClassVar[str] = "not-ready"
    kind: ClassVar[Kind] = Kind.UNAVAILABLE


async def check(probes: Mapping[str, Probe]) -> tuple[str, ...]:
    """Run all probes at once, two seconds each at most, and return the names of the parts that answered: all of them.

    Raises: NotReadyError naming those that failed or did not answer in time.
    """
    failed = [name for name, answers in zip(probes, await _run_all(probes), strict=True) if not answers]
    if failed:
        parts = ", ".join(failed)
        raise NotReadyError(f"No answer from: {parts}. Look at the alarms and try again.", parts=parts)
    return tuple(probes)


async def _run_all(probes: Mapping[str, Probe]) -> list[bool]:
    return await asyncio.gather(*(_answers(name, probe) for name, probe in probes.items()))


async def _answers(name: str, probe: Probe) -> bool:
    try:
        async with asyncio.timeout(PATIENCE_S):
            await probe()
    except Exception as error:  # noqa: BLE001 (whatever a probe dies of is the finding)
        _log.warning("probe failed", extra={"part": name}, exc_info=error)
        return False
    return True
