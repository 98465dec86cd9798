"""Failures as problem documents (RFC 9457, invariant 9)."""

from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field

from shared.kernel.errors import Kind, TesseraError

MEDIA_TYPE: Final = "application/problem+json"

STATUS: Final = {
    Kind.INVALID: 422,
    Kind.UNAUTHENTICATED: 401,
    Kind.FORBIDDEN: 403,
    Kind.MISSING: 404,
    Kind.CONFLICT: 409,
    Kind.TOO_LARGE: 413,
    Kind.UNSUPPORTED_TYPE: 415,
    Kind.LIMITED: 429,
    Kind.UNAVAILABLE: 503,
}

_CODE_OF_STATUS: Final = {
    400: "bad-request",
    404: "route-not-found",
    405: "method-not-allowed",
    413: "too-large",
    415: "unsupported-media-type",
}


class FieldError(BaseModel):
    """One field that does not fit: where it stands and what is wrong with it; never its value."""

    model_config = ConfigDict(frozen=True)

    field: str
    problem: str


class Problem(BaseModel):
    """What every failed request is answered with. `code` is stable; `detail` says what to do next."""

    model_config = ConfigDict(frozen=True)

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    facts: dict[str, str | int] = Field(default_factory=dict)
    errors: list[FieldError] = Field(default_factory=list)

    def to_json(self) -> bytes:
        return self.model_dump_json(exclude_defaults=True).encode()


def problem(status: int, code: str, detail: str, request_id: str, **rest: Any) -> Problem:
    """Return the problem document of `code`; its type and title follow from the code."""
    return Problem(
        type=f"urn:tessera:problem:{code}",
        title=code.replace("-", " ").capitalize(),
        status=status,
        detail=detail,
        code=code,
        request_id=request_id,
        **rest,
    )


def to_problem(error: Exception, request_id: str) -> Problem:
    """Describe `error`. Of an unknown error only the log tells the text."""
    if isinstance(error, TesseraError):
        return problem(STATUS[error.kind], error.code, str(error), request_id, facts=error.facts)
    return problem(500, "internal", "Something failed on our side. Quote the request id.", request_id)


def invalid_request(errors: list[FieldError], request_id: str) -> Problem:
    """Describe a request that does not fit the operation's schema."""
    return problem(
        422, "invalid-request", "Correct the fields listed in errors and send again.", request_id, errors=errors
    )


def status_problem(status: int, request_id: str) -> Problem:
    """Describe what the router refuses before any operation runs."""
    code = _CODE_OF_STATUS.get(status, f"status-{status}")
    return problem(status, code, "See the API's documentation for its routes and media types.", request_id)
