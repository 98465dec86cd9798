"""Bytecode that a function does not have to compile at each cold start.

The CDK stamps every file of an asset with one and the same time, so bytecode that is checked by time is always stale,
and `/var/task` is read-only, so nothing better is ever written. Bytecode that is not checked at all is always good:
the asset never changes.
"""

import os
import subprocess
import sys
from functools import cache
from pathlib import Path


@cache
def interpreter_of(version: str) -> Path | None:
    """Return an interpreter of the minor `version` (`3.13`) on this machine; bytecode differs between versions."""
    if version == f"{sys.version_info.major}.{sys.version_info.minor}":
        return Path(sys.executable)
    folders = [Path(folder) for folder in os.environ.get("PATH", "").split(os.pathsep) if folder]
    # pyenv puts programs on the PATH that only say which versions it has; the versions themselves lie beside them.
    shims = [folder for folder in folders if folder.name == "shims"]
    folders += [path for shim in shims for path in sorted(shim.parent.glob(f"versions/{version}*/bin"))]
    for folder in folders:
        candidate = folder / f"python{version}"
        if candidate.is_file() and _runs(candidate):
            return candidate
    return None


def _runs(candidate: Path) -> bool:
    return subprocess.run([candidate, "-c", ""], capture_output=True, check=False).returncode == 0


def compile_folder(folder: Path, interpreter: Path) -> None:
    """Compile every module under `folder`, with paths as they will be in the function."""
    command = [str(interpreter), "-m", "compileall", "-q", "-j", "0", "--invalidation-mode", "unchecked-hash"]
    # Some wheels carry templates that are not Python of this version; they stay without bytecode, as they would anyway.
    subprocess.run([*command, "-s", str(folder), "-p", "/var/task", str(folder)], capture_output=True, check=False)
