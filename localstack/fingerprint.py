"""Whether what was deployed is what would be deployed now, told without building anything."""

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

_IGNORED = {"__pycache__", "node_modules", "cdk.out"}


def fingerprint(paths: Iterable[Path], settings: Iterable[str] = ()) -> str:
    """Return a digest of the files under `paths` (names and bytes) and of `settings`; missing paths count as empty."""
    content = hashlib.sha256()
    for setting in settings:
        content.update(setting.encode() + b"\0")
    for root in paths:
        for file in _files(root):
            content.update(file.relative_to(root.parent).as_posix().encode() + b"\0")
            content.update(hashlib.sha256(file.read_bytes()).digest())
    return content.hexdigest()


def _files(root: Path) -> Iterator[Path]:
    if root.is_file():
        yield root
    elif root.is_dir():
        for entry in sorted(root.iterdir()):
            if entry.name not in _IGNORED:
                yield from _files(entry)
