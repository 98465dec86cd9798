"""The entry of the authorizer: it says who a request comes from, never what they may do (architecture §7).

It denies nothing. API Gateway would turn a refusal into a bare 403 that cannot be told from a missing permission; so
a request whose credentials are no good goes on without a caller, and the entry layer answers it (decision 0014).
"""

import asyncio
from typing import Any, Final

from shared.identity.caller import Caller
from shared.kernel.errors import Kind, TesseraError
from shared.operations.callers import CONTEXT_NAME, write_caller
from shared.operations.declaration import LambdaHandler, Operation, ServicesOf
from shared.operations.tenants import for_invocation

_NOBODY: Final[dict[str, Any]] = {"isAuthorized": True, "context": {}}


def bearer_of(authorization: str) -> str | None:
    """Return the credential in the value of an Authorization header, None for any other scheme or an empty one."""
    scheme, _, credential = authorization.partition(" ")
    return (credential.strip(" ") or None) if scheme.lower() == "bearer" else None


def build_authorizer(operation: Operation, services_of: ServicesOf) -> LambdaHandler:
    """Return the handler of an HTTP API Lambda authorizer, payload 2.0, simple responses.

    The operation takes what was sent as the bearer and returns the caller; a refusal makes nobody of the sender. A
    failure of ours (keys out of reach) is raised, so that the gateway answers 500 and caches nothing.
    """

    def handle(event: dict[str, Any], _context: Any) -> dict[str, Any]:
        headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
        bearer = bearer_of(headers.get("authorization", ""))
        if bearer is None:
            return _NOBODY
        try:
            with for_invocation(operation):
                caller: Caller = asyncio.run(operation.function(bearer, services=services_of(operation)))
        except TesseraError as error:
            if error.kind is Kind.UNAUTHENTICATED:
                return _NOBODY
            raise
        # The tenant stands beside the line for the gateway's access log only.
        return {"isAuthorized": True, "context": {CONTEXT_NAME: write_caller(caller), "tenant": caller.tenant}}

    return handle
