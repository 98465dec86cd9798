"""How full the file of an embedded cell is."""

from pathlib import Path
from typing import Final

ROOM_BYTES: Final = 10 * 1024**3
"""What one file is meant for at most; vectors are compared one by one."""


class SqliteLoad:
    """Implements `CellProbe`."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def load(self) -> float:
        return self._path.stat().st_size / ROOM_BYTES if self._path.exists() else 0.0
