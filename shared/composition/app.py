"""All HTTP operations in one process: for tests, the local documentation page and the exported OpenAPI file."""

from collections.abc import Awaitable, Callable

from fastapi import FastAPI, Request

from shared.composition.services import Services, services_for
from shared.composition.settings import Settings
from shared.identity.caller import Caller
from shared.kernel.errors import Kind, TesseraError
from shared.limits.limiter import Limiter
from shared.operations.audit import Trail
from shared.operations.authorizers import bearer_of
from shared.operations.declaration import AuthorizerTrigger, Operation
from shared.operations.http import CallerOf, build_app
from shared.operations.reach import Reach
from shared.operations.registry import all_operations
from shared.operations.tenants import across
from shared.telemetry.ports import Telemetry


def build_whole_app(settings: Settings, caller_of: CallerOf, telemetry: Telemetry | None = None) -> FastAPI:
    """Return the app of every HTTP operation; each gets services limited to its own declaration."""
    built: dict[str, Services] = {}

    def services_of(operation: Operation) -> Services:
        if operation.id not in built:
            built[operation.id] = services_for(operation, settings, telemetry)
        return built[operation.id]

    def limiter_of(operation: Operation) -> Limiter:
        return services_of(operation).limits

    def reach_of(operation: Operation) -> Reach:
        return services_of(operation).reach

    def trail_of(operation: Operation) -> Trail:
        return services_of(operation).access_trail

    return build_app(all_operations(), services_of, caller_of, limiter_of, settings.cors_origins, reach_of, trail_of)


def caller_of_bearer(authenticate: Callable[[str], Awaitable[Caller]]) -> CallerOf:
    """Return what recognises the sender of a request as the gateway's authorizer would: refused is nobody."""

    async def caller_of(request: Request) -> Caller | None:
        bearer = bearer_of(request.headers.get("authorization", ""))
        if bearer is None:
            return None
        try:
            with across(_authorizer()):
                return await authenticate(bearer)
        except TesseraError as error:
            if error.kind is Kind.UNAUTHENTICATED:
                return None
            raise

    return caller_of


def _authorizer() -> Operation:
    """Return the operation in whose place this process recognises callers."""
    (found,) = (one for one in all_operations() if isinstance(one.trigger, AuthorizerTrigger))
    return found
