"""The folders that functions run from: small enough, complete, and the same wherever they are built."""

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra_cdk.bytecode import interpreter_of
from infra_cdk.packages import HOST, LAMBDA, LARGEST_MIB, Target, build_package, content_hash, size_mib
from infra_cdk.wheels import LEFT_OUT, kept_services, lock_of
from shared.operations.capabilities import Group
from shared.operations.registry import all_operations
from tests.infra.templates import ROOT

GROUPS = list(Group)

ADAPTERS = {
    Group.API: (
        "argon2", "aws", "dynamodb.records", "dynamodb.request_memory", "http", "jose", "kms", "oidc", "powertools",
        "redis", "s3", "secretsmanager", "sqs",
    ),
    Group.RELATIONAL: ("postgres",),
    Group.SEARCH: ("dynamodb.embedding_cache", "minilm.embedder", "minilm.tokenizer", "opensearch"),
    Group.INGEST: ("minilm.tokenizer", "opensearch", "parsing"),
}  # fmt: skip
"""What a function of each group may be given by the composition root, beside what lighter groups are given."""

BARE_IMPORT = """
import importlib, json, pkgutil, sys
folder, operations, adapters = json.loads(sys.argv[1])
sys.path.insert(0, folder)

from shared.composition.entry import build_handler
from shared.composition.settings import Settings
from shared.operations.registry import load_operation

for area, operation_id in operations:
    build_handler(load_operation(area, operation_id), Settings({}))
for name in adapters:
    module = importlib.import_module("shared.adapters." + name)
    for found in pkgutil.walk_packages(getattr(module, "__path__", ()), module.__name__ + "."):
        importlib.import_module(found.name)
strangers = [
    name for name, module in sys.modules.items()
    if (file := getattr(module, "__file__", None)) and "site-packages" in file
]
assert not strangers, strangers
"""


@pytest.fixture(scope="module")
def lambda_packages(tmp_path_factory: pytest.TempPathFactory) -> dict[Group, Path]:
    return {group: built(group, LAMBDA, tmp_path_factory.mktemp(group)) for group in GROUPS}


def built(group: Group, target: Target, folder: Path) -> Path:
    build_package(group, target, folder)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("group", GROUPS)
def test_package_is_smaller_than_lambda_allows(lambda_packages: dict[Group, Path], group: Group) -> None:
    assert size_mib(lambda_packages[group]) < LARGEST_MIB


@pytest.mark.slow
@pytest.mark.parametrize("group", GROUPS)
def test_native_code_is_for_the_functions_processor(lambda_packages: dict[Group, Path], group: Group) -> None:
    # e_machine of the ELF header: 183 is AArch64
    machines = {
        int.from_bytes(file.read_bytes()[18:20], "little")
        for file in lambda_packages[group].rglob("*")
        if file.is_file() and ".so" in file.suffixes
    }

    assert machines == {183}


@pytest.mark.slow
@pytest.mark.parametrize("group", GROUPS)
def test_entries_start_in_a_bare_interpreter_with_an_empty_environment(group: Group, tmp_path: Path) -> None:
    folder = built(group, HOST, tmp_path)
    operations = [(one.area, one.id) for one in all_operations() if one.group is group]
    adapters = [*ADAPTERS[Group.API], *ADAPTERS[group]]

    outcome = subprocess.run(
        [sys.executable, "-I", "-S", "-W", "error", "-c", BARE_IMPORT, json.dumps([str(folder), operations, adapters])],
        env={},
        capture_output=True,
        text=True,
        check=False,
    )

    assert outcome.stderr == ""
    assert outcome.returncode == 0


@pytest.mark.slow
def test_bytecode_is_never_checked_against_the_epoch_stamped_sources(tmp_path: Path) -> None:
    folder = built(Group.API, HOST, tmp_path)

    compiled = list(folder.rglob("shared/**/*.pyc"))

    # flags of PEP 552: bit 0 says "by hash", bit 1 "check the source"
    assert compiled
    assert {int.from_bytes(file.read_bytes()[4:8], "little") for file in compiled} == {0b01}


def test_bytecode_is_left_to_the_runtime_where_its_python_is_missing() -> None:
    assert interpreter_of("3.99") is None
    assert interpreter_of(HOST.python) == Path(sys.executable)


def test_left_out_wheels_are_in_the_lock_so_that_the_list_does_not_outlive_them() -> None:
    for group in (Group.SEARCH, Group.INGEST):
        locked = {line.partition("==")[0] for line in lock_of(group).read_text(encoding="utf-8").splitlines()}

        assert LEFT_OUT[group] <= locked


def test_botocore_keeps_the_service_of_every_client_that_is_made() -> None:
    assert set(clients_made()) <= kept_services()


def clients_made() -> Iterator[str]:
    """Yield the service named in every `….client("…")` of the code that functions run."""
    for file in (ROOT / "shared").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(func=ast.Attribute(attr="client"), args=[ast.Constant(value=str() as service), *_]):
                    yield service


def test_hash_depends_on_content_and_target_only() -> None:
    assert content_hash(None, LAMBDA) == content_hash(None, LAMBDA)
    assert len({content_hash(group, target) for group in [None, *GROUPS] for target in (LAMBDA, HOST)}) == 10
