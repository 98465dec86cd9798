"""Deployed functions that no route leads to, invoked as an administrator of the account does."""

import json
from typing import Any

from localstack import aws
from localstack.emulator import Emulator
from localstack.failures import LocalCloudError


def invoke(emulator: Emulator, operation_id: str, payload: Any = None) -> Any:
    """Return what the function of an operation answers to `payload`. Raises: LocalCloudError with its own message."""
    answer = aws.functions(emulator.endpoint).invoke(
        FunctionName=f"tessera-local-{operation_id}", Payload=json.dumps(payload or {}).encode()
    )
    content = json.loads(answer["Payload"].read() or b"null")
    if answer.get("FunctionError"):
        raise LocalCloudError(
            f"{operation_id} failed: {content.get('errorMessage', content)}",
            "make logs shows what the functions logged",
        )
    return content
