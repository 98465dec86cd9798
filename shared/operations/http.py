"""The HTTP entry: a FastAPI app made of declarations, one operation in a Lambda, all of them in process (U1).

Order of a request: request id → caller → permission → limits → announced size → reach → parameters and body →
operation → settlement → problem documents → audit.
"""

import inspect
import logging
import math
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterable, Mapping
from http import HTTPStatus
from typing import Annotated, Any, ClassVar, Final, get_type_hints
from urllib.parse import urlsplit

from fastapi import Depends, FastAPI, Header, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.routing import APIRoute
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.routing import Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.audit.acts import acting
from shared.identity.caller import Caller
from shared.identity.permissions import Permission, Role, is_permitted
from shared.kernel.clock import SystemClock
from shared.kernel.errors import Kind, TesseraError
from shared.kernel.ids import new_id
from shared.operations.audit import OperationAudit, RequestAudit, TrailOf
from shared.operations.bodies import check_announced_size, read_body
from shared.operations.cross_origin import CrossOrigin
from shared.operations.declaration import HttpTrigger, Operation, ServicesOf
from shared.operations.limits import UNCOUNTED, LimiterOf, OperationLimits
from shared.operations.problems import (
    MEDIA_TYPE,
    FieldError,
    Problem,
    invalid_request,
    status_problem,
    to_problem,
)
from shared.operations.reach import PathReach, ReachOf
from shared.operations.tenants import for_caller, for_request

CallerOf = Callable[[Request], Awaitable[Caller | None]]
"""Return who a request comes from; None for nobody, which is also whoever sends credentials that are no good."""

DOCS: Final = "/docs"
"""The interactive page of the in-process app."""

IDEMPOTENCY_KEY: Final = "idempotency_key"
"""The parameter of an operation that takes the header of that name."""

_ENUM_MEMBER: Final = re.compile(r"<\w+\.\w+: ('[^']*')>")
"""How pydantic names a choice: as Python shows it. Clients send what stands in quotes."""

_SECURITY_HEADERS: Final = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "strict-transport-security": "max-age=63072000; includeSubDomains",
    "x-content-type-options": "nosniff",
}

_log = logging.getLogger("tessera.http")


class UnauthenticatedError(TesseraError):
    """Nobody can be recognised from the request."""

    code: ClassVar[str] = "unauthenticated"
    kind: ClassVar[Kind] = Kind.UNAUTHENTICATED


class ForbiddenError(TesseraError):
    """The caller is known and may not do this."""

    code: ClassVar[str] = "forbidden"
    kind: ClassVar[Kind] = Kind.FORBIDDEN


def build_app(
    operations: Iterable[Operation],
    services_of: ServicesOf,
    caller_of: CallerOf,
    limiter_of: LimiterOf,
    cors_origins: Collection[str] = (),
    reach_of: ReachOf | None = None,
    trail_of: TrailOf | None = None,
) -> FastAPI:
    """Return the app of the HTTP operations among `operations`; other kinds are passed over.

    `cors_origins` are the origins whose pages may read answers, exactly as browsers name them. Raises: DeclarationError
    for a route that names a knowledge base when there is no `reach_of`, or needs a caller when there is no `trail_of`.
    """
    app = FastAPI(
        title="Tessera",
        version="1",
        openapi_url="/openapi.json",
        docs_url=DOCS,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.router.route_class = _OperationRoute
    for operation in operations:
        if isinstance(operation.trigger, HttpTrigger):
            limits = OperationLimits(operation, operation.trigger, limiter_of)
            reach = PathReach(operation, operation.trigger, reach_of)
            audit = OperationAudit(operation, operation.trigger, trail_of)
            _add_route(app, operation, operation.trigger, services_of, caller_of, limits, reach, audit)
    app.add_exception_handler(HTTPException, _refuse_route)
    app.add_middleware(CrossOrigin, origins=cors_origins)
    app.add_middleware(_Envelope)
    return app


def respond(document: Problem, retry_after_s: float | None = None) -> Response:
    """Send a problem document, and say when to try again if that is known."""
    headers = {"www-authenticate": "Bearer"} if document.status == HTTPStatus.UNAUTHORIZED else {}
    if retry_after_s is not None:
        headers["retry-after"] = str(math.ceil(retry_after_s))
    return Response(document.to_json(), document.status, headers, MEDIA_TYPE)


def request_id_of(request: Request) -> str:
    return str(request.scope["tessera.request_id"])


def _add_route(
    app: FastAPI,
    operation: Operation,
    trigger: HttpTrigger,
    services_of: ServicesOf,
    caller_of: CallerOf,
    limits: OperationLimits,
    reach: PathReach,
    audit: OperationAudit,
) -> None:
    endpoint = _endpoint_of(operation, services_of)
    # FastAPI hands the endpoint to the route class; these travel with it.
    endpoint.__dict__.update(
        tessera_permission=trigger.permission,
        tessera_caller_of=caller_of,
        tessera_limits=limits,
        tessera_reach=reach,
        tessera_audit=audit,
        tessera_operation=operation,
    )
    summary, _, description = inspect.cleandoc(operation.function.__doc__ or "").partition("\n")
    app.add_api_route(
        trigger.path,
        endpoint,
        methods=[trigger.method],
        operation_id=operation.id,
        summary=summary,
        description=description.partition("Raises:")[0].strip(),
        tags=[operation.area],
        status_code=trigger.status,
        response_model_exclude_none=True,
        openapi_extra={"security": [{"bearer": []}] if trigger.permission is not None else []},
        **_caching(trigger.cache_s),
    )


def _caching(cache_s: int) -> dict[str, Any]:
    """Return what makes successful answers say for how long they may be kept; problem documents never may."""
    if not cache_s:
        return {}

    class CacheableResponse(JSONResponse):
        def init_headers(self, headers: Mapping[str, str] | None = None) -> None:
            super().init_headers({"cache-control": f"public, max-age={cache_s}", **(headers or {})})

    return {"response_class": CacheableResponse}


def _endpoint_of(operation: Operation, services_of: ServicesOf) -> Callable[..., Awaitable[Any]]:
    """Wrap the operation so that FastAPI fills in all but caller and services, which come from the entry layer."""
    function = operation.function
    hints = get_type_hints(function, include_extras=True)

    async def services() -> object:
        return services_of(operation)

    async def caller(request: Request) -> Caller:
        found: Caller = request.state.caller
        return found

    injected: dict[str, tuple[type, Callable[..., Any]]] = {
        "services": (object, services),
        "caller": (Caller, caller),
    }
    parameters = []
    for parameter in inspect.signature(function).parameters.values():
        annotation: Any = hints[parameter.name]
        if parameter.name in injected:
            kind, source = injected[parameter.name]
            annotation = Annotated[kind, Depends(source)]
        elif parameter.name == IDEMPOTENCY_KEY:
            annotation = Annotated[annotation, Header(alias="Idempotency-Key")]
        parameters.append(parameter.replace(annotation=annotation, kind=inspect.Parameter.KEYWORD_ONLY))

    async def endpoint(**arguments: Any) -> Any:
        return await function(**arguments)

    endpoint.__name__ = operation.id
    returned = hints.get("return", inspect.Signature.empty)
    endpoint.__dict__["__signature__"] = inspect.Signature(
        # To FastAPI the type of None is a body of its own; None itself is none.
        parameters,
        return_annotation=None if returned is type(None) else returned,
    )
    return endpoint


class _OperationRoute(APIRoute):
    """Recognise and authorise the caller before anything of the body is read, and answer failures as problems."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()
        permission: Permission | None = getattr(self.endpoint, "tessera_permission", None)
        caller_of: CallerOf | None = getattr(self.endpoint, "tessera_caller_of", None)
        limits: OperationLimits | None = getattr(self.endpoint, "tessera_limits", None)
        reach: PathReach | None = getattr(self.endpoint, "tessera_reach", None)
        operation: Operation | None = getattr(self.endpoint, "tessera_operation", None)
        audit: OperationAudit = self.endpoint.__dict__["tessera_audit"]

        parameters = frozenset(field.alias for field in self.dependant.query_params)
        takes_body = self.body_field is not None

        async def guarded(request: Request) -> Response:
            audited = audit.begin(request, request_id_of(request))
            with acting(audited.act):
                answer = await concluded(request, audited)
            answer.headers.update(getattr(request.state, "limit_headers", {}))
            return answer

        async def concluded(request: Request, audited: RequestAudit) -> Response:
            """Answer once the audit has what is to be told of the request."""
            refusal: Problem | None = None
            try:
                answer = await answered(request, audited)
            except Exception as error:  # noqa: BLE001 (the entry keeps all of them inside)
                refusal = _problem_of(error, request_id_of(request))
                answer = respond(refusal, getattr(error, "retry_after_s", None))
            try:
                await audited.conclude(None if refusal is None else refusal.code)
            except TesseraError as error:
                return respond(to_problem(error, request_id_of(request)), getattr(error, "retry_after_s", None))
            return answer

        async def answered(request: Request, audited: RequestAudit) -> Response:
            caller = await _recognise(request, caller_of) if permission is not None and caller_of else None
            if caller is not None:
                audited.recognise(caller)
            with for_caller(caller):
                counted = await limits.count(request, caller) if limits else UNCOUNTED
                # Also a request that is refused for another reason was one, and says how its limits stand.
                request.state.limit_headers = counted.headers
                async with counted.settled():
                    if caller is not None and permission is not None:
                        _authorize(caller, permission)
                        request.state.caller = caller
                    counted.check()
                    check_announced_size(request)
                    if caller is not None and reach is not None:
                        await reach.check(request, caller)
                    await audited.admit()
                    _check_query(request, parameters)
                    with for_request(operation, request.path_params):
                        return await handle(await read_body(request) if takes_body else request)

        return guarded


def _problem_of(error: Exception, request_id: str) -> Problem:
    if isinstance(error, HTTPException):
        return status_problem(error.status_code, request_id)
    if isinstance(error, RequestValidationError):
        return invalid_request(_field_errors(error), request_id)
    if not isinstance(error, TesseraError):
        _log.error("request failed", extra={"request_id": request_id}, exc_info=error)
    return to_problem(error, request_id)


async def _recognise(request: Request, caller_of: CallerOf) -> Caller:
    caller = await caller_of(request)
    if caller is None:
        raise UnauthenticatedError("Send a valid access token or API key as Authorization: Bearer.")
    return caller


def _authorize(caller: Caller, permission: Permission) -> None:
    if caller.holds(permission):
        return
    if is_permitted(caller.role, permission):
        remedy = f"This API key does not hold {permission}. Use one that does, or sign in."
    else:
        holders = ", ".join(role for role in Role if is_permitted(role, permission))
        remedy = f"The role {caller.role} does not hold {permission}. Ask somebody who does: {holders}."
    raise ForbiddenError(remedy, permission=permission)


def _check_query(request: Request, known: Collection[str]) -> None:
    """Refuse parameters that nobody reads: a misspelt filter would otherwise look like one that found everything."""
    sent = Counter(name for name, _ in request.query_params.multi_items())
    expected = f"known are: {', '.join(sorted(known))}" if known else "this operation has none"
    unfit = [
        {
            "loc": ("query", name),
            "msg": f"Unknown parameter; {expected}" if name not in known else "Sent more than once",
        }
        for name, times in sent.items()
        if name not in known or times > 1
    ]
    if unfit:
        raise RequestValidationError(unfit)


def _field_errors(error: RequestValidationError) -> list[FieldError]:
    return [
        FieldError(
            field=".".join(str(part) for part in found["loc"]), problem=_ENUM_MEMBER.sub(r"\1", str(found["msg"]))
        )
        for found in error.errors()
    ]


async def _refuse_route(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    refusal = respond(status_problem(status, request_id_of(request)))
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        refusal.headers["allow"] = ", ".join(_methods_of(request))
    return refusal


def _methods_of(request: Request) -> list[str]:
    """Return every method that some route takes at this path; the router itself names only those of the first."""
    found = set()
    for route in request.app.routes:
        match, _ = route.matches(request.scope)
        if match is not Match.NONE:
            found |= route.methods
    return sorted(found)


class _Envelope:
    """Give every request an id and every response its security headers."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = gateway_context(scope).get("requestId") or new_id("req", SystemClock().now())
        scope["tessera.request_id"] = request_id

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["x-request-id"] = str(request_id)
                for name, value in _SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
                if scope["path"] == DOCS:
                    headers["content-security-policy"] = _page_policy()
            await send(message)

        await self._app(scope, receive, send_with_headers)


def _page_policy() -> str:
    """Return the policy of the interactive page alone, which takes its parts from where FastAPI says."""
    parts = inspect.signature(get_swagger_ui_html).parameters

    def origin_of(name: str) -> str:
        address = urlsplit(parts[name].default)
        return f"{address.scheme}://{address.netloc}"

    return (
        f"default-src 'none'; connect-src 'self'; img-src data: {origin_of('swagger_favicon_url')}; "
        f"script-src 'unsafe-inline' {origin_of('swagger_js_url')}; "
        f"style-src 'unsafe-inline' {origin_of('swagger_css_url')}; frame-ancestors 'none'"
    )


def gateway_context(scope: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return API Gateway's request context, empty outside a Lambda."""
    event: Mapping[str, Any] = scope.get("aws.event") or {}
    context: Mapping[str, Any] = event.get("requestContext") or {}
    return context
