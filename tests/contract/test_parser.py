"""What the parser port promises, of the real child process."""

import asyncio
import contextlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from shared.adapters.parsing import child_process
from shared.adapters.parsing.child_process import ChildProcessParser
from shared.adapters.parsing.limits import MIB, ParseLimits
from shared.documents.canonical import DocumentWarning
from shared.documents.ports import RejectedDocumentError
from shared.documents.rejections import RejectionReason, reason_of

_SLOW_MARKDOWN = b"*a **b " * 60_000


async def reason(parser: ChildProcessParser, name: str, content: bytes) -> RejectionReason:
    with pytest.raises(RejectedDocumentError) as caught:
        await parser.parse(name, content)
    return reason_of(caught.value)


async def test_text_comes_back_as_it_was() -> None:
    text = await ChildProcessParser().parse("note.txt", "Grüße,\r\nmíster 世界 😀\n\nZweiter Absatz.".encode())

    assert text.text == "Grüße,\nmíster 世界 😀\n\nZweiter Absatz."
    assert (text.format, text.pages, text.warnings) == ("txt", (), ())


async def test_warnings_come_back() -> None:
    text = await ChildProcessParser().parse("note.txt", "Müller zahlt 5 €.".encode("cp1252"))

    assert text.text == "Müller zahlt 5 €."
    assert text.warnings == (DocumentWarning.ENCODING_GUESSED,)


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.txt", b"", RejectionReason.EMPTY),
        ("a.txt", b" \n\t", RejectionReason.NO_TEXT),
        ("a.txt", b"%PDF-1.7\n%\xe2\xe3", RejectionReason.WRONG_TYPE),
        ("a.pdf", b"Just text.", RejectionReason.WRONG_TYPE),
        ("a.png", b"\x89PNG\r\n\x1a\n\x00\x00", RejectionReason.UNSUPPORTED_TYPE),
        ("a.json", b"{", RejectionReason.MALFORMED),
    ],
)
async def test_a_rejection_has_a_reason(name: str, content: bytes, expected: RejectionReason) -> None:
    assert await reason(ChildProcessParser(), name, content) == expected


async def test_a_file_above_the_limit_is_not_even_handed_over() -> None:
    parser = ChildProcessParser(ParseLimits(file_bytes=10))

    assert await reason(parser, "a.txt", b"eleven byte") == RejectionReason.TOO_LARGE


async def test_too_much_time_is_a_rejection() -> None:
    parser = ChildProcessParser(ParseLimits(wall_s=0.05))

    assert await reason(parser, "a.md", _SLOW_MARKDOWN) == RejectionReason.TIME_LIMIT


async def test_too_much_processor_time_is_a_rejection() -> None:
    parser = ChildProcessParser(ParseLimits(cpu_s=1))

    assert await reason(parser, "a.md", _SLOW_MARKDOWN * 8) == RejectionReason.TIME_LIMIT


async def test_too_much_memory_is_a_rejection() -> None:
    parser = ChildProcessParser(ParseLimits(memory_bytes=96 * MIB, characters=10**9, line_characters=10**9))

    assert await reason(parser, "a.txt", b"many words " * 4_000_000) == RejectionReason.MEMORY_LIMIT


async def test_a_cancelled_caller_leaves_no_child_behind() -> None:
    task = asyncio.create_task(ChildProcessParser().parse("a.md", _SLOW_MARKDOWN * 8))
    await asyncio.sleep(0.3)

    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert "parsing.child" not in _own_children()


def test_the_child_gets_no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")

    assert not any(name.startswith("AWS_") for name in child_process._environment("/nowhere"))


def test_the_parent_loads_no_parsing_library() -> None:
    code = (
        "import sys, shared.adapters.parsing.child_process;"
        "sys.exit(any(name in sys.modules for name in ('pypdfium2', 'pypdf', 'selectolax', 'markdown_it')))"
    )

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def _own_children() -> str:
    """Return the command lines of the children of this process."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it may end while it is looked at
            parent = (process / "stat").read_text().rpartition(")")[2].split()[1]
            if int(parent) == os.getpid():
                found.append((process / "cmdline").read_text().replace("\0", " "))
    return "\n".join(found)
