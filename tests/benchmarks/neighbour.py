"""A tenant in a process of its own, as Lambda gives no two requests one process, that asks far more than it may.

Takes its settings and its credentials as JSON. "start" on standard input begins a flood, "stop" ends it; the answer is
how many requests were refused of how many.
"""

import asyncio
import json
import sys
from time import perf_counter

from shared.composition.app import build_whole_app, caller_of_bearer
from shared.composition.services import Services
from shared.composition.settings import Settings
from shared.operations.grants import Grants
from shared.operations.registry import load_operation
from tests.benchmarks.in_process import request

NOISE_PER_S = 200
"""Twenty times the ten reads a second that come back to one user."""
BURST = 620
"""A little more than anybody may ask at once."""


async def main(variables: dict[str, str], authorization: str, path: str) -> None:
    settings = Settings(variables)
    door = Services(Grants(load_operation("identity", "authorize_request").capabilities), settings)
    app = build_whole_app(settings, caller_of_bearer(door.authentication.authenticator.authenticate))
    for _ in range(BURST):
        await request(app, path, authorization.encode())
    print(json.dumps({"refused": 0, "sent": BURST}), flush=True)
    while await asyncio.to_thread(sys.stdin.readline):
        stop = asyncio.create_task(asyncio.to_thread(sys.stdin.readline))
        sent: list[asyncio.Task[int]] = []
        started = perf_counter()
        while not stop.done():
            sent.append(asyncio.create_task(request(app, path, authorization.encode())))
            await asyncio.sleep(max(0.0, started + len(sent) / NOISE_PER_S - perf_counter()))
        refused = sum(status == 429 for status in await asyncio.gather(*sent))
        print(json.dumps({"refused": refused, "sent": len(sent)}), flush=True)


if __name__ == "__main__":
    asyncio.run(main(**json.loads(sys.argv[1])))
