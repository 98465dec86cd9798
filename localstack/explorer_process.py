"""The interactive pages as a process in the background, beside the emulator."""

import os
import sys
import time
from pathlib import Path
from typing import Final

import httpx

from localstack import process
from localstack.emulator import HOST, free_port
from localstack.install import ROOT

START_TIMEOUT_S: Final = 20.0


def start(folder: Path) -> str | None:
    """Return the address of the pages for the local cloud in `folder`; None when they do not come up (see the log)."""
    port_file = folder / "explorer.port"
    if process.load(folder / "explorer.json") is None:
        port = free_port()
        argv = [sys.executable, "-m", "localstack.explorer", "--folder", str(folder), "--port", str(port)]
        started = process.start(argv, env=os.environ, log=folder / "explorer.log", directory=ROOT)
        started.save(folder / "explorer.json")
        port_file.write_text(str(port), encoding="utf-8")
    address = f"http://{HOST}:{port_file.read_text(encoding='utf-8')}"
    return address if _answers(address) else None


def stop(folder: Path) -> bool:
    """End the pages; answer whether they were running."""
    running = process.load(folder / "explorer.json")
    if running is not None:
        running.stop(grace_s=5)
    (folder / "explorer.json").unlink(missing_ok=True)
    return running is not None


def _answers(address: str) -> bool:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        try:
            return httpx.get(address).is_success
        except httpx.TransportError:
            time.sleep(0.1)
    return False
