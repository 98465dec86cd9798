"""The child process that reads one file: `python -m shared.adapters.parsing.child`.

Standard input holds one line of JSON (`name`, `limits`), then the file. Standard output gets one JSON object:
`{"text": <canonical text>}` or `{"reason": …, "detail": …}`. Nothing else of the process matters to the parent.
"""

import json
import os
import resource
import sys
from pathlib import Path
from typing import BinaryIO, NoReturn

from shared.adapters.parsing.limits import MIB, ParseLimits
from shared.documents.ports import RejectedDocumentError
from shared.documents.rejections import RejectionReason

_OPEN_FILES = 64
_WRITTEN_BYTES = 16 * MIB  # bytecode caches; readers write no files
_RECURSION = 4_000
# What no reader has any business with. Native code is not covered; it gets no addresses to follow either.
_REFUSED_EVENTS = frozenset(
    ["socket.connect", "socket.bind", "socket.getaddrinfo", "subprocess.Popen", "os.system", "os.exec", "os.fork",
     "os.posix_spawn", "os.forkpty", "ftplib.connect", "urllib.Request", "os.symlink", "os.link"]
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
    for kind, soft, hard in (
        (resource.RLIMIT_AS, limits.memory_bytes, limits.memory_bytes),
        # The soft limit kills with a signal of its own, by which the parent knows the reason.
        (resource.RLIMIT_CPU, limits.cpu_s, limits.cpu_s + 1),
        (resource.RLIMIT_CORE, 0, 0),
        (resource.RLIMIT_FSIZE, _WRITTEN_BYTES, _WRITTEN_BYTES),
        (resource.RLIMIT_NOFILE, _OPEN_FILES, _OPEN_FILES),
    ):
        _, allowed = resource.getrlimit(kind)
        if allowed != resource.RLIM_INFINITY:
            soft, hard = min(soft, allowed), min(hard, allowed)
        resource.setrlimit(kind, (soft, hard))
    sys.setrecursionlimit(_RECURSION)
    sys.addaudithook(_refuse)


def _refuse(event: str, arguments: tuple[object, ...]) -> None:
    if event in _REFUSED_EVENTS or (event == "open" and _writes_elsewhere(*arguments)):
        _stop(event)


def _writes_elsewhere(path: object, _: object, flags: object) -> bool:
    """Tell whether a file is opened for writing outside of the folder of this parse; bytecode caches may be."""
    if not isinstance(flags, int) or not flags & (os.O_WRONLY | os.O_RDWR) or not isinstance(path, str | bytes):
        return False
    where = os.path.realpath(os.fsdecode(path))
    return "__pycache__" not in where and not where.startswith(f"{Path.cwd()}{os.sep}")


def _stop(event: str) -> NoReturn:
    """End at once: a reader that reaches out is broken or tricked, and must not carry on."""
    sys.stderr.write(f"refused: {event}\n")
    sys.stderr.flush()
    os._exit(1)


if __name__ == "__main__":
    main()
