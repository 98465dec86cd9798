"""The wheels of one dependency group in one folder: those of the lock, for the function's platform, without ballast."""

import re
import shutil
import subprocess
import sys
import tempfile
from importlib.metadata import distributions
from pathlib import Path
from typing import ClassVar, Final

from uv import find_uv_bin

from shared.kernel.errors import Kind, TesseraError
from shared.operations.capabilities import RESOURCES, Bucket, EncryptionKey, EventBus, Group, Queue, Secret, Table

REQUIREMENTS: Final = Path(__file__).resolve().parent.parent / "requirements"

NEVER_IMPORTED: Final = frozenset(
    {
        # opensearch-py's second transport
        "grpcio", "opensearch-protobufs", "protobuf",
        # the download side of tokenizers, whose vocabulary is a file of ours
        "filelock", "fsspec", "hf-xet", "huggingface-hub", "httpcore2", "httpx2", "h11", "tqdm", "truststore", "click",
    }
)  # fmt: skip
"""Declared by what we ship, but on no path of ours; a test imports every entry without them."""

LEFT_OUT: Final = {
    Group.API: NEVER_IMPORTED,
    Group.RELATIONAL: NEVER_IMPORTED,
    Group.SEARCH: NEVER_IMPORTED,
    Group.INGEST: NEVER_IMPORTED | {"onnxruntime", "flatbuffers"},  # the model does not fit beside the parser
}

BALLAST_FOLDERS: Final = frozenset({"benchmarks", "examples", "include", "tests"})
BALLAST_SUFFIXES: Final = frozenset({".a", ".c", ".cpp", ".h", ".hpp", ".md", ".pxd", ".pyi", ".pyx", ".rst"})
BALLAST: Final = (
    "bin",  # scripts that name the machine they were made on
    "numpy/f2py",
    "onnxruntime/backend",
    "onnxruntime/datasets",
    "onnxruntime/quantization",
    "onnxruntime/tools",
    "onnxruntime/transformers",
)
INSTALLERS_NOTES: Final = frozenset({"INSTALLER", "RECORD", "REQUESTED", "direct_url.json"})

SERVICES_OF: Final = {
    Bucket: "s3",
    EncryptionKey: "kms",
    EventBus: "events",
    Queue: "sqs",
    Secret: "secretsmanager",
    Table: "dynamodb",
}


class PackageError(TesseraError):
    """The wheels in the folder are not those of the lock."""

    code: ClassVar[str] = "package-not-built"
    kind: ClassVar[Kind] = Kind.INVALID


def lock_of(group: Group) -> Path:
    """Return the lock that names every wheel of `group` by hash."""
    return REQUIREMENTS / f"{group}.lock"


def install_wheels(group: Group, folder: Path, *, python: str, platform: str | None) -> None:
    """Put the wheels of `group` into `folder`, for `python` and `platform` (None: the machine at hand).

    Raises: PackageError when a wheel cannot be had or is not the locked one.
    """
    entries = [entry for entry in _entries(group) if _name_of(entry) not in LEFT_OUT[group]]
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as requirements:
        requirements.write("\n".join(entries))
        requirements.flush()
        foreign = ["--python-platform", platform, "--python-version", python] if platform else []
        outcome = subprocess.run(
            [
                find_uv_bin(), "pip", "install", "--quiet", "--python", sys.executable, *foreign,
                "--no-deps", "--require-hashes", "--only-binary", ":all:",
                "--link-mode", "copy", "--no-compile-bytecode", "--target", folder, "-r", requirements.name,
            ],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    if outcome.returncode != 0:
        raise PackageError(
            f"The wheels of {group} cannot be installed. Look at requirements/{group}.lock, and at your connection: "
            f"{outcome.stderr.strip()}"
        )
    _check_versions(group, folder)
    _strip(folder)


def kept_services() -> frozenset[str]:
    """Return the AWS services whose descriptions botocore keeps: those that a declared resource is reached by.

    Tables and buckets are reached through STS, which gives sessions for tenants.
    """
    reached = {service for kind, service in SERVICES_OF.items() if any(isinstance(one, kind) for one in RESOURCES)}
    return frozenset({*reached, "sts"})


def _entries(group: Group) -> list[str]:
    """Return the requirements of a lock, each with its hashes."""
    return re.split(r"\n(?=\S)", lock_of(group).read_text(encoding="utf-8").strip())


def _name_of(entry: str) -> str:
    return entry.partition("==")[0]


def _check_versions(group: Group, folder: Path) -> None:
    """Hold what was installed against the lock: a resolver that finds no wheel of the platform takes an older one."""
    locked: dict[str, set[str]] = {}
    always: set[str] = set()
    for entry in _entries(group):
        name, _, rest = entry.partition("==")
        locked.setdefault(name, set()).add(rest.split()[0])
        if ";" not in rest.partition("\\")[0] and name not in LEFT_OUT[group]:
            always.add(name)
    found = {_normal(one.name): one.version for one in distributions(path=[str(folder)])}
    wrong = [f"{name} {version}" for name, version in sorted(found.items()) if version not in locked.get(name, ())]
    wrong += [f"no {name}" for name in sorted(always - found.keys())]
    if wrong:
        raise PackageError(f"The package of {group} differs from its lock: {', '.join(wrong)}.")


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _strip(folder: Path) -> None:
    """Remove what no function reads; licences stay."""
    for name in BALLAST:
        shutil.rmtree(folder / name, ignore_errors=True)
    for path in sorted(folder.rglob("*"), reverse=True):
        noted = path.parent.suffix == ".dist-info"
        if path.is_dir():
            if path.name in BALLAST_FOLDERS:
                shutil.rmtree(path)
        elif path.name in INSTALLERS_NOTES if noted else path.suffix in BALLAST_SUFFIXES:
            path.unlink()
    services = kept_services()
    for path in (folder / "botocore" / "data").iterdir():
        if path.is_dir() and path.name not in services:
            shutil.rmtree(path)
