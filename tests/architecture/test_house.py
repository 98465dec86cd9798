"""Is the house in order? Rules about the source tree that no single test of behaviour would notice."""

import ast
import os
import re
import subprocess
import sys
from operator import attrgetter
from pathlib import Path

import pytest

from shared.composition.write_docs import generated_pages
from shared.operations.registry import all_operations

ROOT = Path(__file__).resolve().parents[2]
OPERATIONS = all_operations()
SOURCES = sorted(
    path
    for folder in ("shared", "functions", "infra_cdk", "localstack", "tests")
    for path in (ROOT / folder).rglob("*.py")
    if "__pycache__" not in path.parts
)


def test_every_operation_imports_with_an_empty_environment():
    modules = "\n".join(f"import {operation.module}" for operation in OPERATIONS)

    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", modules], cwd=ROOT, env={}, capture_output=True, text=True, check=False
    )

    assert result.returncode == 0, result.stderr


def test_importing_an_operation_loads_no_heavy_library():
    modules = "; ".join(f"import {operation.module}" for operation in OPERATIONS)
    heavy = ["boto3", "botocore", "onnxruntime", "pypdfium2", "opensearchpy", "apsw", "fastapi", "tokenizers"]

    result = subprocess.run(
        [sys.executable, "-c", f"import sys; {modules}; print([n for n in {heavy} if n in sys.modules])"],
        cwd=ROOT, env={}, capture_output=True, text=True, check=True,
    )  # fmt: skip

    assert result.stdout.strip() == "[]"


@pytest.mark.parametrize("operation", OPERATIONS, ids=attrgetter("id"))
def test_every_operation_is_named_in_a_test_module(operation):
    tests = [path for path in SOURCES if path.is_relative_to(ROOT / "tests") and path.name.startswith("test_")]

    named = [path for path in tests if operation.id in path.name or operation.id in path.read_text(encoding="utf-8")]

    assert named, f"no test speaks of {operation.id}"


@pytest.mark.parametrize("operation", OPERATIONS, ids=attrgetter("id"))
def test_every_operation_explains_itself(operation):
    assert operation.summary.endswith((".", "…"))


@pytest.mark.parametrize("name", ["operations.md", "permissions.md", "openapi.json"])
def test_generated_page_is_current(name):
    committed = (ROOT / "docs" / name).read_text(encoding="utf-8")

    assert committed == generated_pages()[name], "run `make docs` and commit the result"


def test_only_composition_reads_the_environment():
    readers = [
        str(path.relative_to(ROOT))
        for path in SOURCES
        if path.is_relative_to(ROOT / "shared") or path.is_relative_to(ROOT / "functions")
        if re.search(r"\bos\.(environ|getenv)\b", path.read_text(encoding="utf-8"))
    ]

    assert readers == ["shared/composition/settings.py"]


def test_package_files_hold_no_logic():
    talkative = [
        str(path.relative_to(ROOT))
        for path in SOURCES
        if path.name == "__init__.py"
        for statement in ast.parse(path.read_text(encoding="utf-8")).body
        if not (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant))
    ]

    assert talkative == []


def test_no_room_is_called_after_nothing():
    vague = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "managers"}

    assert [str(path.relative_to(ROOT)) for path in SOURCES if vague & {path.stem, path.parent.name}] == []


def test_committed_files_name_no_address_of_a_registry_and_no_path_of_a_machine():
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False).stdout
    registries = ["pypi" + ".org", "pythonhosted" + ".org", "registry.npmjs" + ".org", "repo.maven." + "apache.org",
                  "repo1.maven" + ".org", "deb.debian" + ".org"]  # fmt: skip
    machine = re.compile(r"(^|[^\w.])/(home|work|root)/[\w.]")
    found = []
    for name in filter(None, listed.split("\0")):
        path = ROOT / name
        if not path.is_file() or path == Path(__file__):
            continue
        text = path.read_bytes().decode("utf-8", errors="ignore")
        if any(registry in text for registry in registries) or machine.search(text):
            found.append(name)

    assert found == []


@pytest.mark.parametrize(
    "lock", [*ROOT.glob("requirements/*.lock"), ROOT / "package-lock.json", *ROOT.glob("tests/**/package-lock.json")],
    ids=lambda lock: str(lock.relative_to(ROOT)),
)  # fmt: skip
def test_lock_holds_hashes_and_no_addresses(lock):
    text = lock.read_text(encoding="utf-8")

    assert "://" not in text
    assert "sha256:" in text or '"integrity": "sha512-' in text


def test_import_contracts_hold():
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}

    result = subprocess.run(
        [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert result.returncode == 0, result.stdout
