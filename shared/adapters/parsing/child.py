"""The child process that reads one file: `python -m shared.adapters.parsing.child`.

Standard input holds one line of JSON (`name`, `limits`), then the file. Standard output gets one JSON object:
`{"text": <canonical text>}` or `{"reason": …, "detail": …}`. Nothing else of the process matters to the parent.
"""

import json
import os
import resource
import sys
from typing import BinaryIO, NoReturn

from shared.adapters.parsing.limits import MIB, ParseLimits
from shared.documents.ports import RejectedDocumentError
from shared.documents.rejections import RejectionReason

_OPEN_FILES = 64
_WRITTEN_BYTES = 4 * MIB  # standard error only: readers write no files
_RECURSION = 4_000
# What no reader has any business with. Native code is not covered; it gets no addresses to follow either.
_REFUSED_EVENTS = frozenset(
    ["socket.connect", "socket.bind", "socket.getaddrinfo", "subprocess.Popen", "os.system", "os.exec", "os.fork",
     "os.posix_spawn", "os.forkpty", "ftplib.connect", "urllib.Request", "os.remove", "os.rename", "os.symlink"]
)  # fmt: skip


def main() -> None:
    answers = _private_output()
    request = json.loads(sys.stdin.buffer.readline())
    limits = ParseLimits(**request["limits"])
    _confine(limits)
    json_answer = _answer(request["name"], sys.stdin.buffer, limits)
    answers.write(json_answer)
    answers.flush()
    # Native thread pools are left behind without waiting for them.
    os._exit(0)


def _answer(name: str, source: BinaryIO, limits: ParseLimits) -> bytes:
    try:
        # Imported under the limits: libraries are part of what is limited.
        from shared.adapters.parsing.reading import read_document
        from shared.documents.serialisation import text_to_json

        return b'{"text":' + text_to_json(read_document(name, source.read(), limits)) + b"}"
    except RejectedDocumentError as error:
        return json.dumps(error.facts).encode()
    except MemoryError:
        return json.dumps({"reason": RejectionReason.MEMORY_LIMIT}).encode()
    except RecursionError:
        return json.dumps({"reason": RejectionReason.TOO_COMPLEX}).encode()


def _private_output() -> BinaryIO:
    """Keep standard output for the answer; whatever libraries print goes to standard error."""
    kept = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return kept


def _confine(limits: ParseLimits) -> None:
    for kind, value in (
        (resource.RLIMIT_AS, limits.memory_bytes),
        (resource.RLIMIT_CPU, limits.cpu_s),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, _WRITTEN_BYTES),
        (resource.RLIMIT_NOFILE, _OPEN_FILES),
    ):
        _, hard = resource.getrlimit(kind)
        bounded = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (bounded, bounded))
    sys.setrecursionlimit(_RECURSION)
    sys.addaudithook(_refuse)


def _refuse(event: str, _: tuple[object, ...]) -> None:
    if event in _REFUSED_EVENTS:
        _stop(event)


def _stop(event: str) -> NoReturn:
    """End at once: a reader that reaches out is broken or tricked, and must not carry on."""
    sys.stderr.write(f"refused: {event}\n")
    sys.stderr.flush()
    os._exit(1)


if __name__ == "__main__":
    main()
