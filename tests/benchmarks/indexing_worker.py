"""The index function alone in a process, as a Lambda of it lives: a line when it is warm, one when its queue is empty.

Takes the cloud's variables as JSON; starts counting when a line arrives on standard input.
"""

import asyncio
import json
import resource
import sys
from time import perf_counter

from shared.operations.registry import load_operation
from tests.ingestion.cloud import Cloud
from tests.ingestion.functions import Functions


async def main() -> None:
    operation = load_operation("ingestion", "index_chunks")
    functions = Functions(Cloud(json.loads(sys.argv[1]), {}))
    while await functions.deliver(operation):
        pass
    print(json.dumps({"seconds": 0}), flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    started = perf_counter()
    while await functions.deliver(operation):
        pass
    seconds = perf_counter() - started
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "peak_mib": peak_mib}), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
