"""Processes that move a tenant and are killed: `python -m tests.cells.mover_host <places> <tenant> <page>`.

Each line of standard input, a number, is one process forked from this one: it moves until the move is over, or until
it kills itself (SIGKILL) at that effect: odd numbers before one, even ones after it, 0 never. Each line of standard
output is how it ended: `killed`, or `over` and how many effects it had.
"""

import asyncio
import os
import signal
import sys
from typing import Any

from shared.kernel.ids import TenantId
from shared.retrieval.ports import IndexUnavailableError
from tests.ambient import looking_on
from tests.cells.places import Parts, Places


class Doomed:
    """Something in front of a part that counts calls of it, and kills the process at one."""

    def __init__(self, part: Any, fate: "Fate") -> None:
        self._part = part
        self._fate = fate

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._part, name)

        async def watched(*args: Any, **kwargs: Any) -> Any:
            self._fate.step()
            answer = await call(*args, **kwargs)
            self._fate.step()
            return answer

        return watched


class DoomedStores:
    def __init__(self, places: Places, fate: "Fate") -> None:
        self._places = places
        self._fate = fate

    def of(self, place: Any) -> Any:
        return Doomed(self._places.of(place), self._fate)


class Fate:
    def __init__(self, killed_at: int) -> None:
        self._killed_at = killed_at
        self.steps = 0

    def step(self) -> None:
        self.steps += 1
        if self.steps == self._killed_at:
            os.kill(os.getpid(), signal.SIGKILL)


async def move(places: Places, tenant: TenantId, page: int, fate: Fate) -> None:
    parts = Parts.of(places)
    doomed = Parts(
        DoomedStores(places, fate),
        Doomed(parts.placements, fate),
        Doomed(parts.gates, fate),
        Doomed(parts.erasures, fate),
        Doomed(parts.registry, fate),
    )
    mover = doomed.moves(page).mover
    while True:
        before = await parts.placements.placement(tenant)
        try:
            after = await mover.advance(tenant)
        except IndexUnavailableError:
            after = before  # the schedule's next run goes on, too
        if after.under_way is None:
            return
        if before == after:
            await asyncio.sleep(0.05)


def main() -> None:
    places, tenant, page = Places.read(sys.argv[1]), TenantId(sys.argv[2]), int(sys.argv[3])
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            fate = Fate(int(line))
            with looking_on():
                asyncio.run(move(places, tenant, page, fate))
            print(f"over {fate.steps}", flush=True)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if os.WIFSIGNALED(status):
            print("killed", flush=True)
        elif os.waitstatus_to_exitcode(status) != 0:
            print(f"failed {os.waitstatus_to_exitcode(status)}", flush=True)


if __name__ == "__main__":
    main()
