"""Parse every hostile file, one after the other, and write one JSON line each: `python -m tests.contract.hostile_run`.

In a process of its own because the kernel tells the peak memory of all children ever waited for: here these are
parsers only.
"""

import asyncio
import json
import resource
import sys
import time

from shared.adapters.parsing.child_process import ChildProcessParser
from shared.documents.ports import RejectedDocumentError
from shared.documents.rejections import reason_of
from tests.contract.hostile_documents import hostile_case, hostile_names


async def parsed(name: str) -> dict[str, object]:
    """Parse one file; `peak_kib` is the largest parser so far."""
    case = hostile_case(name)
    started = time.monotonic()
    reason, told, text = None, "", ""
    try:
        text = (await ChildProcessParser().parse(case.file, case.content)).text
    except RejectedDocumentError as error:
        reason, told = str(reason_of(error)), str(error)
    return {
        "file": name,
        "seconds": time.monotonic() - started,
        "peak_kib": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss,
        "reason": reason,
        "told": told,
        "text": text,
    }


def main() -> None:
    for name in hostile_names():
        sys.stdout.write(json.dumps(asyncio.run(parsed(name))) + "\n")


if __name__ == "__main__":
    main()
