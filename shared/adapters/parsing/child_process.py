"""The parser as the rest of Tessera sees it: every file is read by a process of its own (invariant 7)."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import IO

from shared.adapters.parsing.limits import ParseLimits
from shared.documents.canonical import CanonicalText
from shared.documents.ports import RejectedDocumentError
from shared.documents.rejections import RejectionReason, rejected
from shared.documents.serialisation import text_from_json

_CHILD = "shared.adapters.parsing.child"
_ROOT = Path(__file__).resolve().parents[3]
_OUT_OF_MEMORY = (b"MemoryError", b"memory allocation", b"Cannot allocate memory", b"out of memory", b"bad_alloc",
                  b"failed to map", b"OutOfMemory")  # fmt: skip
_ERROR_TAIL_BYTES = 8_192


class ChildProcessParser:
    """Reads files with the readers of `formats/`, each in a child process with memory, CPU and wall limits.

    The child inherits neither environment nor credentials. Its death, for whatever reason, is a rejection.
    """

    def __init__(self, limits: ParseLimits | None = None) -> None:
        self._limits = limits or ParseLimits()

    async def parse(self, name: str, content: bytes) -> CanonicalText:
        """Return the canonical text of a file; see `shared.documents.ports.Parser`."""
        if not content:
            raise rejected(RejectionReason.EMPTY)
        if len(content) > self._limits.file_bytes:
            raise rejected(RejectionReason.TOO_LARGE, f"more than {self._limits.file_bytes:,} bytes")
        with tempfile.TemporaryDirectory(prefix="tessera-parse-") as folder, tempfile.TemporaryFile() as errors:
            child = await asyncio.to_thread(_started, folder, errors)
            try:
                answer = await asyncio.to_thread(self._exchange, child, name, content)
            finally:
                # Reached by a cancelled caller too, whose thread ends when the pipes close.
                _end(child)
            errors.seek(0, os.SEEK_END)
            errors.seek(max(0, errors.tell() - _ERROR_TAIL_BYTES))
            return _interpreted(answer, child.returncode, errors.read())

    def _exchange(self, child: subprocess.Popen[bytes], name: str, content: bytes) -> bytes:
        request = json.dumps({"name": name, "limits": self._limits.to_json()}).encode() + b"\n"
        with child:  # closes the pipes, however it ends
            try:
                answer, _ = child.communicate(request + content, timeout=self._limits.wall_s)
            except subprocess.TimeoutExpired as error:
                _end(child)
                raise rejected(RejectionReason.TIME_LIMIT) from error
        return answer


def _started(folder: str, errors: IO[bytes]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-S", "-m", _CHILD],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors,
        cwd=folder,
        env=_environment(folder),
        start_new_session=True,
    )


def _interpreted(answer: bytes, exit_code: int, errors: bytes) -> CanonicalText:
    if exit_code == 0 and answer.startswith(b'{"text":'):
        return text_from_json(answer[len(b'{"text":') : -1])
    if exit_code == 0 and answer:
        facts = json.loads(answer)
        raise rejected(RejectionReason(facts["reason"]), str(facts.get("detail", "")))
    raise _death(exit_code, errors)


def _death(exit_code: int, errors: bytes) -> RejectedDocumentError:
    """Say why a child died without an answer, as far as the kernel and its last words tell."""
    if exit_code == -signal.SIGXCPU:
        return rejected(RejectionReason.TIME_LIMIT)
    if exit_code == -signal.SIGKILL or any(sign in errors for sign in _OUT_OF_MEMORY):
        return rejected(RejectionReason.MEMORY_LIMIT)
    return rejected(RejectionReason.PARSER_FAILED)


def _environment(folder: str) -> dict[str, str]:
    """What a child needs and no more: where its code lies, and frugal defaults for native libraries."""
    paths = dict.fromkeys([str(_ROOT), *(path for path in sys.path if path)])
    return {
        "PYTHONPATH": os.pathsep.join(paths),
        "PATH": os.defpath,
        "LANG": "C.UTF-8",
        "HOME": folder,
        # What a library writes or loads there is private to this parse, and gone with it.
        "TMPDIR": folder,
        "MALLOC_ARENA_MAX": "2",
    }


def _end(child: subprocess.Popen[bytes]) -> None:
    """Make sure that the child and whatever it started are gone, and its pipes closed."""
    if child.poll() is None:
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()
