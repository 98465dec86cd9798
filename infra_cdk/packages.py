"""The folder that the functions of one dependency group run from: sources, wheels, model, bytecode. No Docker.

Built for Lambda (arm64) or, in tests, for the machine at hand; the same inputs give the same content hash everywhere.
"""

import hashlib
import shutil
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from infra_cdk.bytecode import compile_folder, interpreter_of
from infra_cdk.wheels import PackageError, install_wheels, lock_of
from shared.operations.capabilities import EMBEDDER, Group
from shared.operations.declaration import Operation

ROOT: Final = Path(__file__).resolve().parent.parent
SOURCES: Final = ("functions", "shared")

MODEL: Final = ROOT / ".tessera" / "model"
MODEL_FOLDER: Final = "model"
MODEL_FILES: Final = {
    Group.API: (),
    Group.RELATIONAL: (),
    Group.SEARCH: ("model.onnx", "tokenizer.json"),
    # The parser's group cuts texts by the model's tokens, but the model would not fit beside the parser.
    Group.INGEST: ("tokenizer.json",),
}

DATABASE_CERTIFICATES: Final = ROOT / "deployments" / "database-certificates.pem"
"""The authorities that Aurora's certificates come from, where a team has put their file."""
DATABASE_CERTIFICATES_IN_ASSET: Final = "certificates/database.pem"

FORMAT: Final = "1"
"""Part of every hash: raise it when the same inputs are to give another folder."""

LARGEST_MIB: Final = 230
"""Lambda unzips at most 250 MiB; the rest is room for a release of a dependency that grows."""


@dataclass(frozen=True)
class Target:
    """What a folder is for: a minor version of Python, and a platform in uv's words; None is the machine at hand."""

    python: str
    platform: str | None

    @property
    def bytecode(self) -> Path | None:
        """The interpreter that can compile for this target, if the machine has one."""
        return interpreter_of(self.python)


LAMBDA: Final = Target("3.13", "aarch64-manylinux_2_28")
HOST: Final = Target(f"{sys.version_info.major}.{sys.version_info.minor}", None)


def refuse_what_does_not_fit(operations: Iterable[Operation]) -> None:
    """Raises: PackageError for an operation that needs the parser and the model in one function."""
    for operation in operations:
        if EMBEDDER in operation.uses and operation.group is Group.INGEST:
            raise PackageError(
                f"{operation.id} declares the parser and the embedder: together they are too large for a function. "
                "Declare TOKENIZER where only tokens are needed, or split the operation with a queue between."
            )


def content_hash(group: Group | None, target: Target) -> str:
    """Return a hash of all that decides the folder's content; `group` None means sources alone."""
    digest = hashlib.sha256(f"{FORMAT} {group} {target}".encode())
    for name, file in _parts(group):
        content = file.read_bytes()
        digest.update(f"\n{name} {len(content)}\n".encode())
        digest.update(content)
    if group is not None:
        digest.update(f"\nbytecode {target.bytecode is not None}".encode())
        digest.update(lock_of(group).read_bytes())
    return digest.hexdigest()


def build_package(group: Group | None, target: Target, folder: Path) -> None:
    """Fill `folder` with what functions of `group` run from; `group` None means sources alone.

    Raises: PackageError when a wheel is missing or is not the one of the lock.
    """
    if group is not None:
        install_wheels(group, folder, python=target.python, platform=target.platform)
    for name, file in _parts(group):
        destination = folder / name
        destination.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, destination)
    if group is not None and target.bytecode is not None:
        compile_folder(folder, target.bytecode)


def size_mib(folder: Path) -> float:
    """Return the unzipped size of `folder` in MiB, which is what Lambda limits."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 2**20


def _parts(group: Group | None) -> Iterator[tuple[str, Path]]:
    """Yield the name inside the folder and the file of everything that is ours, in a fixed order."""
    for source in SOURCES:
        for file in sorted((ROOT / source).rglob("*")):
            if file.is_file() and "__pycache__" not in file.parts:
                yield file.relative_to(ROOT).as_posix(), file
    if group is Group.RELATIONAL and DATABASE_CERTIFICATES.exists():
        yield DATABASE_CERTIFICATES_IN_ASSET, DATABASE_CERTIFICATES
    if group is not None:
        for name in MODEL_FILES[group]:
            if (MODEL / name).exists():
                yield f"{MODEL_FOLDER}/{name}", MODEL / name
