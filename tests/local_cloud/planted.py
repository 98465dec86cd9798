"""Functions of a test's own on the emulator, invoked and removed again: what is planted runs where everything runs."""

import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from localstack import aws
from localstack.emulator import ACCOUNT, Emulator
from localstack.function_logs import GROUPS

MODULE: Final = "planted"
_TIMEOUT_S: Final = 60


@dataclass(frozen=True, slots=True)
class PlantedFunction:
    """A function by its name, and what it answered."""

    emulator: Emulator
    name: str

    def invoke(self, payload: Any) -> Any:
        """Return what it answers; a failure is `{"errorMessage": …}`."""
        answered = aws.functions(self.emulator.endpoint).invoke(
            FunctionName=self.name, Payload=json.dumps(payload).encode()
        )
        return json.loads(answered["Payload"].read())


@contextmanager
def planted(
    emulator: Emulator,
    name: str,
    source: str,
    code: bytes | None = None,
    variables: Mapping[str, str] | None = None,
    role: str = f"arn:aws:iam::{ACCOUNT}:role/planted",
) -> Iterator[PlantedFunction]:
    """Make a function whose handler `source` defines, beside the modules of `code` (a zip); remove it at the end."""
    functions = aws.functions(emulator.endpoint)
    functions.create_function(
        FunctionName=name,
        Runtime="python3.13",
        Role=role,
        Handler=f"{MODULE}.handler",
        Timeout=_TIMEOUT_S,
        Code={"ZipFile": _with_module(code, source)},
        Environment={"Variables": dict(variables or {})},
    )
    try:
        yield PlantedFunction(emulator, name)
    finally:
        functions.delete_function(FunctionName=name)
        logs = aws.logs(emulator.endpoint)
        if logs.describe_log_groups(logGroupNamePrefix=f"{GROUPS}{name}")["logGroups"]:
            logs.delete_log_group(logGroupName=f"{GROUPS}{name}")


def _with_module(code: bytes | None, source: str) -> bytes:
    content = io.BytesIO(code or b"")
    content.seek(0, io.SEEK_END)
    with zipfile.ZipFile(content, "a" if code else "w") as archive:
        archive.writestr(f"{MODULE}.py", source)
    return content.getvalue()
