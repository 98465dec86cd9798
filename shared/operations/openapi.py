"""The exported OpenAPI 3.1 document: routes and models from the app, failures from each docstring's *Raises* (U1)."""

import json
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI

from shared.audit.trail import AuditUnavailableError
from shared.kernel.errors import TesseraError
from shared.limits.errors import LimitsUnavailableError, QuotaExhaustedError, RateLimitedError
from shared.operations.absences import say_absent_for_null
from shared.operations.bodies import BodyTooLargeError, InvalidJsonError, UnsupportedMediaTypeError
from shared.operations.callers import UnreadableCallerError
from shared.operations.declaration import HttpTrigger, Operation, RateClass
from shared.operations.http import ForbiddenError, UnauthenticatedError
from shared.operations.links import add_links
from shared.operations.problems import MEDIA_TYPE, STATUS, Problem

_HEADERS: Final = "#/components/headers/"
_LIMIT_HEADERS: Final = (
    "RateLimit-Limit",
    "RateLimit-Remaining",
    "RateLimit-Reset",
    "RateLimit-Policy",
)

_ABOUT: Final = (
    "Every answer to a recognised caller carries RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset and "
    "RateLimit-Policy, as described in components. While requests cannot be counted, answers carry X-Tessera-Degraded."
)


def declared_errors(operation: Operation) -> dict[str, type[TesseraError]]:
    """Return the errors that the docstring's *Raises* names, by class name; their modules must be imported.

    Raises: KeyError for a name that is no known TesseraError.
    """
    _, _, raises = (operation.function.__doc__ or "").partition("Raises:")
    known = {error.__name__: error for error in _subclasses(TesseraError)}
    words = raises.replace(",", " ").replace(".", " ").replace(";", " ").replace(":", " ").split()
    return {word: known[word] for word in words if word.endswith("Error")}


def export_openapi(app: FastAPI, operations: Iterable[Operation]) -> str:
    """Return the app's OpenAPI document as it is committed: sorted keys, one trailing newline."""
    document = app.openapi()
    document["info"]["description"] = _ABOUT
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    problem_schema = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(problem_schema.pop("$defs", {}))
    schemas["Problem"] = problem_schema
    components["headers"] = _header_components()
    components["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}}
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    for operation in operations:
        if isinstance(operation.trigger, HttpTrigger):
            described = document["paths"][operation.trigger.path][operation.trigger.method.lower()]
            problems = _problem_responses(operation, operation.trigger, takes_body="requestBody" in described)
            described["responses"].update(problems)
            for status, response in described["responses"].items():
                response["headers"] = {name: {"$ref": _HEADERS + name} for name in _headers_of(int(status))}
    _close_patterned(schemas)
    say_absent_for_null(document)
    add_links(document)
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _problem_responses(operation: Operation, trigger: HttpTrigger, *, takes_body: bool) -> dict[str, dict[str, Any]]:
    errors: list[type[TesseraError]] = [*declared_errors(operation).values(), BodyTooLargeError]
    if trigger.rate_class is not RateClass.NONE:
        errors += [RateLimitedError, LimitsUnavailableError]
    if trigger.permission is not None:
        errors += [QuotaExhaustedError] if trigger.rate_class is not RateClass.NONE else []
        errors += [UnauthenticatedError, ForbiddenError, UnreadableCallerError, AuditUnavailableError]
    if takes_body:
        errors += [InvalidJsonError, UnsupportedMediaTypeError]
    codes: dict[int, set[str]] = {422: {"invalid-request"}, 500: {"internal"}}
    for error in errors:
        codes.setdefault(STATUS[error.kind], set()).add(error.code)
    return {
        str(status): {
            "description": f"{HTTPStatus(status).phrase}: {', '.join(sorted(names))}",
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status, names in sorted(codes.items())
    }


def _close_patterned(part: Any) -> None:
    """Say that an object whose names follow a pattern takes no other name: so it is checked, but not described."""
    if isinstance(part, dict):
        if "patternProperties" in part:
            part.setdefault("additionalProperties", False)
        for inner in part.values():
            _close_patterned(inner)
    elif isinstance(part, list):
        for inner in part:
            _close_patterned(inner)


def _headers_of(status: int) -> list[str]:
    names = ["X-Request-Id"]
    if status == HTTPStatus.UNAUTHORIZED:
        names.append("WWW-Authenticate")
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        names += _LIMIT_HEADERS
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        names.append("X-Tessera-Degraded")
    if status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
        names.append("Retry-After")
    return names


def _header_components() -> dict[str, dict[str, Any]]:
    return {
        "X-Request-Id": {
            "description": "Names the request in logs; quote it when you ask for help.",
            "required": True,
            "schema": {"type": "string"},
        },
        "WWW-Authenticate": {
            "description": "How to authenticate.",
            "required": True,
            "schema": {"type": "string", "const": "Bearer"},
        },
        "Retry-After": {
            "description": "Seconds after which the same request may succeed, where that is known.",
            "schema": {"type": "integer", "minimum": 0},
        },
        "RateLimit-Limit": {
            "description": "The limit that refuses this request, or else has least left: how much it allows now.",
            "schema": {"type": "integer", "minimum": 0},
        },
        "RateLimit-Remaining": {
            "description": "How much of that limit is left.",
            "schema": {"type": "integer", "minimum": 0},
        },
        "RateLimit-Reset": {
            "description": "Seconds until all of that limit is back, or until this very request fits.",
            "schema": {"type": "integer", "minimum": 0},
        },
        "RateLimit-Policy": {
            "description": "All limits that the request was counted against: each with its window in seconds, w.",
            "schema": {"type": "string"},
        },
        "X-Tessera-Degraded": {
            "description": "`limits`: requests cannot be counted right now; reading goes on within a small allowance.",
            "schema": {"type": "string", "const": "limits"},
        },
    }


def _subclasses(base: type[TesseraError]) -> Iterable[type[TesseraError]]:
    for child in base.__subclasses__():
        yield child
        yield from _subclasses(child)
