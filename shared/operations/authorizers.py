"""The entry of the authorizer: it says who a request comes from, never what they may do (architecture §7)."""

import asyncio
from typing import Any

from shared.identity.caller import Caller
from shared.kernel.errors import Kind, TesseraError
from shared.operations.declaration import LambdaHandler, Operation, ServicesOf


def build_authorizer(operation: Operation, services_of: ServicesOf) -> LambdaHandler:
    """Return the handler of an HTTP API Lambda authorizer, payload 2.0, simple responses.

    The operation takes the bearer token and returns the caller. A refused token authorises nothing; a failure of ours
    (keys out of reach) is raised, so that the gateway answers 500 and caches nothing.
    """

    def handle(event: dict[str, Any], _context: Any) -> dict[str, Any]:
        headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return {"isAuthorized": False}
        try:
            caller: Caller = asyncio.run(operation.function(token.strip(), services=services_of(operation)))
        except TesseraError as error:
            if error.kind is Kind.UNAUTHENTICATED:
                return {"isAuthorized": False}
            raise
        return {
            "isAuthorized": True,
            "context": {"tenant": caller.tenant, "user": caller.user, "role": caller.role.value},
        }

    return handle
