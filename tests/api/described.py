"""The API as its OpenAPI document describes it, with the app behind it: what generated requests are judged by."""

import json
import secrets
from functools import cache
from ipaddress import IPv4Address
from typing import Any

import schemathesis

from shared.composition.write_docs import generated_pages
from shared.identity.permissions import Role, is_permitted
from shared.operations.declaration import HttpTrigger, Operation
from shared.operations.registry import all_operations

ROUTES = {operation.id: operation for operation in all_operations() if isinstance(operation.trigger, HttpTrigger)}


@cache
def document() -> str:
    return generated_pages()["openapi.json"]


def described_api(app: Any, changed: dict[str, Any] | None = None) -> Any:
    """Return the document (or a `changed` one) as a schema whose cases are sent to `app`, in this process."""
    schema = schemathesis.openapi.from_dict(changed or json.loads(document()))
    accepted = schema.config.checks.positive_data_acceptance
    accepted.expected_statuses = [*accepted.expected_statuses, "413", "422"]
    schema.app = app
    schema.location = "/openapi.json"
    return schema


def well_formed_is_understood(_context: Any, response: Any, case: Any) -> None:
    """A request that the document calls well-formed may break a rule that no schema can say, and no other."""
    if response.status_code != 422 or case.meta is None or not case.meta.generation.mode.is_positive:
        return
    told = response.json()
    assert told["code"] != "invalid-json", told
    if told["code"] == "invalid-request":
        # "Value error" is how pydantic names what a validator of ours says, beyond types, lengths and patterns.
        assert [error for error in told["errors"] if error["problem"].startswith("Value error, ")], told


class FromAnywhere:
    """The app as seen from an address that nobody else has, since what strangers send is counted by address."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self.move()

    def move(self) -> None:
        self._address = str(IPv4Address(0x0A000000 + secrets.randbits(24)))

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            scope = {**scope, "client": (self._address, 50_000)}
        await self._app(scope, receive, send)


def role_for(operation_id: str) -> Role:
    """Return who may call an operation: owners may everything but what operators alone may."""
    trigger = ROUTES[operation_id].trigger
    assert isinstance(trigger, HttpTrigger)
    if trigger.permission is None or is_permitted(Role.OWNER, trigger.permission):
        return Role.OWNER
    return Role.OPERATOR


def operations_of_routes() -> list[Operation]:
    return list(ROUTES.values())
