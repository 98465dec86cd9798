"""The folder that a function of one dependency group runs from: sources, wheels, model, bytecode. No Docker.

Built for Lambda (arm64) or, in tests, for the machine at hand. The same inputs give the same content hash everywhere.
"""

import hashlib
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final

from shared.kernel.errors import Kind, TesseraError
from shared.operations.capabilities import Group

ROOT: Final = Path(__file__).resolve().parent.parent
SOURCES: Final = ("functions", "shared")
MODEL: Final = ROOT / ".tessera" / "model"
MODEL_FOLDER: Final = "model"
WITH_MODEL: Final = frozenset({Group.SEARCH, Group.INGEST})

FORMAT: Final = "1"
"""Part of every hash: raise it when this module changes what a folder contains."""


class PackageError(TesseraError):
    """An asset could not be built as the lock says."""

    code: ClassVar[str] = "package-not-built"
    kind: ClassVar[Kind] = Kind.INVALID


@dataclass(frozen=True)
class Target:
    """What the folder is for. `platform` None is the machine at hand."""

    python: str
    platform: str | None


LAMBDA: Final = Target("3.13", "aarch64-manylinux_2_28")
HOST: Final = Target(f"{sys.version_info.major}.{sys.version_info.minor}", None)


def source_files() -> Iterator[tuple[str, Path]]:
    """Yield the path inside the folder and the file of every source, in a fixed order."""
    for folder in SOURCES:
        for file in sorted((ROOT / folder).rglob("*")):
            if file.is_file() and "__pycache__" not in file.parts:
                yield file.relative_to(ROOT).as_posix(), file


def lock_of(group: Group) -> Path:
    return ROOT / "requirements" / f"{group}.lock"


def content_hash(group: Group | None, target: Target) -> str:
    """Return a hash of all that decides the folder's content; `group` None means sources alone."""
    digest = hashlib.sha256(f"{FORMAT} {target}".encode())

    def add(name: str, file: Path) -> None:
        content = file.read_bytes()
        digest.update(f"\n{name} {len(content)}\n".encode() + content)

    for name, file in source_files():
        add(name, file)
    if group is not None:
        add("lock", lock_of(group))
        if group in WITH_MODEL and MODEL.is_dir():
            for file in sorted(path for path in MODEL.rglob("*") if path.is_file()):
                add(file.relative_to(MODEL).as_posix(), file)
    return digest.hexdigest()


def copy_sources(folder: Path) -> None:
    """Copy what is ours into `folder`."""
    for name, file in source_files():
        destination = folder / name
        destination.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, destination)
