"""The interactive pages as a process in the background, beside the emulator."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from localstack.failures import LocalCloudError
from localstack.install import ROOT
from localstack.local_server import LocalServer


@dataclass(frozen=True, slots=True)
class Explorer(LocalServer):
    """The pages, served for the local cloud in its folder."""

    TITLE: ClassVar[str] = "interactive pages"
    FILES: ClassVar[str] = "explorer"
    START_TIMEOUT_S: ClassVar[float] = 20.0
    GRACE_S: ClassVar[float] = 5.0

    def is_ready(self, said: str) -> bool:
        return f"running on {self.endpoint}" in said


stop = Explorer.stop_in


def start(folder: Path) -> str | None:
    """Return the address of the pages for the local cloud in `folder`; None when they do not come up (see the log)."""
    folder = folder.resolve()
    running = Explorer.find(folder)
    if running is None:
        ports = Explorer.ports_for(folder)
        try:
            running = Explorer.launch(folder, ports, lambda port: _command(folder, port), _environment)
        except LocalCloudError:
            return None
    return running.endpoint


def _command(folder: Path, port: int) -> list[str]:
    return [sys.executable, "-m", "localstack.explorer", "--folder", str(folder), "--port", str(port)]


def _environment(_: int) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT)}
