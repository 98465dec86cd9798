"""The API as its OpenAPI document describes it, with the app behind it: what generated requests are judged by."""

import json
import secrets
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import schemathesis

from shared.identity.permissions import Role, is_permitted
from shared.operations.declaration import HttpTrigger
from shared.operations.registry import all_operations

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "openapi.json"

ROUTES = {operation.id: operation for operation in all_operations() if isinstance(operation.trigger, HttpTrigger)}
TRIGGERS = {name: operation.trigger for name, operation in ROUTES.items() if isinstance(operation.trigger, HttpTrigger)}


def document() -> dict[str, Any]:
    """Return the document as it is committed; that it is what the code says is another test's matter."""
    read: dict[str, Any] = json.loads(DOCUMENT.read_text(encoding="utf-8"))
    return read


def described_api(app: Any = None, changed: dict[str, Any] | None = None) -> Any:
    """Return the document (or a `changed` one) as a schema whose cases are sent to `app`, in this process."""
    schema = schemathesis.openapi.from_dict(changed or document())
    accepted = schema.config.checks.positive_data_acceptance
    accepted.expected_statuses = [*accepted.expected_statuses, "413", "422"]
    schema.app = app
    schema.location = "/openapi.json"
    return schema


BEYOND_SCHEMAS = ("Value error, ", "Base64 decoding error", "Input should be a valid datetime")
"""How pydantic begins what a validator says beyond types, lengths and patterns."""


def well_formed_is_understood(_context: Any, response: Any, case: Any) -> None:
    """A request that the document calls well-formed may break a rule that no schema can say, and no other."""
    if response.status_code != 422 or case.meta is None or not case.meta.generation.mode.is_positive:
        return
    told = response.json()
    assert told["code"] != "invalid-json", told
    if told["code"] == "invalid-request":
        assert [error for error in told["errors"] if error["problem"].startswith(BEYOND_SCHEMAS)], told


class FromAnywhere:
    """The app as seen from an address that nobody else has, since what strangers send is counted by address."""

    def __init__(self, app: Any = None) -> None:
        self.app = app
        self.move()

    def move(self) -> None:
        self._address = str(IPv4Address(0x0A000000 + secrets.randbits(24)))

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            scope = {**scope, "client": (self._address, 50_000)}
        await self.app(scope, receive, send)


def role_for(operation_id: str) -> Role:
    """Return who may call an operation: owners may everything but what operators alone may."""
    permission = TRIGGERS[operation_id].permission
    if permission is None or is_permitted(Role.OWNER, permission):
        return Role.OWNER
    return Role.OPERATOR
