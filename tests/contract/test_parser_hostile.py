"""Hostile files hurt nobody: each ends as its table says, in time, in memory, without side effects (invariant 7)."""

import asyncio
import contextlib
import json
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shared.adapters.parsing.child_process import ChildProcessParser
from shared.documents.canonical import CanonicalText
from shared.documents.ports import RejectedDocumentError
from tests.contract.hostile_documents import (
    CANARY_FILE,
    FORBIDDEN_PORT,
    REJECTED,
    HostileCase,
    hostile_case,
    hostile_names,
)
from tests.shared_data import require_shared_data

_ONE_GIB_IN_KIB = 1 << 20
_ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module", autouse=True)
def forbidden_port() -> Iterator[None]:
    """Listen where every address in the files points to, unless this user may not, or another test run does."""
    with socket.socket() as listener:
        listener.settimeout(0.05)
        with contextlib.suppress(OSError):
            listener.bind(("127.0.0.1", FORBIDDEN_PORT))
            listener.listen()
            yield
            with contextlib.suppress(TimeoutError):
                caller, peer = listener.accept()
                caller.close()
                pytest.fail(f"{peer} came to where only hostile files point.")
            return
        yield


async def outcome(parser: ChildProcessParser, case: HostileCase) -> CanonicalText | RejectedDocumentError:
    try:
        return await parser.parse(case.file, case.content)
    except RejectedDocumentError as error:
        return error


@pytest.fixture(scope="module")
def results() -> dict[str, dict[str, Any]]:
    """How each file ended, by its name; all are parsed in one process that does nothing else."""
    require_shared_data()
    program = [sys.executable, "-m", "tests.contract.hostile_run"]
    done = subprocess.run(program, capture_output=True, text=True, check=True, cwd=_ROOT, timeout=280)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return {str(line["file"]): line for line in lines}


@pytest.mark.parametrize("name", hostile_names() or ["shared data is absent"])
def test_a_hostile_file_ends_as_its_table_says(name: str, results: dict[str, dict[str, Any]]) -> None:
    case = hostile_case(name)

    result = results[name]

    assert result["seconds"] < case.seconds
    assert result["peak_kib"] < _ONE_GIB_IN_KIB
    if result["reason"] is not None:
        assert case.either_outcome or case.outcome == REJECTED, result["reason"]
        assert result["told"]
    else:
        assert case.either_outcome or case.outcome != REJECTED
        assert all(text in result["text"] for text in case.must_contain)
        assert not any(text in result["text"] for text in case.must_not_contain)
    folders = (Path(tempfile.gettempdir()), Path.cwd(), Path.cwd().parent, Path("/"))
    assert not any((folder / CANARY_FILE).exists() for folder in folders)


async def test_neighbours_of_hostile_files_are_read() -> None:
    require_shared_data()
    parser = ChildProcessParser()
    hostile = [hostile_case(name) for name in ("pdf-flate-twice.pdf", "zip-lying-size.docx", "json-deep.json")]

    *_, neighbour = await asyncio.gather(
        *(outcome(parser, case) for case in hostile), parser.parse("a.txt", b"The neighbour's text.")
    )

    assert isinstance(neighbour, CanonicalText)
    assert neighbour.text == "The neighbour's text."


async def test_hidden_text_is_flagged() -> None:
    require_shared_data()
    parser = ChildProcessParser()
    flagged = {}

    for name in ("pdf-hidden-text.pdf", "html-hidden.html", "unicode-controls.txt", "invalid-utf8.txt"):
        result = await outcome(parser, hostile_case(name))
        assert isinstance(result, CanonicalText)
        flagged[name] = result.warnings
        assert "HIDDEN-TEXT-c41d" not in result.text

    assert all(flagged.values())
