"""The HTTP entry layer: who gets in, in which order, and what a refusal looks like."""

import json
from typing import Annotated, Any

import httpx
import pytest
from fastapi import Query, Request
from pydantic import BaseModel, ConfigDict

from shared.identity.caller import Caller
from shared.identity.permissions import Permission, Role
from shared.kernel.errors import Kind, TesseraError
from shared.kernel.ids import TenantId, UserId
from shared.operations.bodies import MAX_BODY_BYTES, MAX_DEPTH, read_json
from shared.operations.declaration import HttpTrigger, RateClass
from shared.operations.grants import Grants
from shared.operations.http import build_app
from shared.operations.openapi import declared_errors, export_openapi
from tests.trails import trails_in_memory
from tests.unit.limits.memory import limiters_in_memory
from tests.unit.operations.samples import sample_operation


class ShelfMissingError(TesseraError):
    code = "shelf-missing"
    kind = Kind.MISSING


class ShelfBusyError(TesseraError):
    code = "shelf-busy"
    kind = Kind.UNAVAILABLE
    retry_after_s = 1.2


class Book(BaseModel):
    model_config = ConfigDict(extra="forbid")

    title: str


class Shelf(BaseModel):
    shelf: str
    tenant: str
    title: str
    copies: int
    note: str | None = None


class Services:
    name = "services of put_book"


async def put_book(
    shelf: str, book: Book, caller: Caller, services: Services, copies: Annotated[int, Query(ge=1)] = 1
) -> Shelf:
    """Put a book on a shelf.

    Raises: ShelfMissingError when there is no such shelf.
    """
    assert services.name == "services of put_book"
    if shelf == "missing":
        raise ShelfMissingError("Make the shelf first.", shelf=shelf)
    if shelf == "busy":
        raise ShelfBusyError("Try again.")
    if shelf == "undeclared":
        Grants([]).require_action("shelves", "shelf:Put")
    if shelf == "broken":
        raise RuntimeError("secret detail")
    return Shelf(shelf=shelf, tenant=caller.tenant, title=book.title, copies=copies)


async def list_books(shelf: str) -> list[str]:
    """List the books on a shelf."""
    return [shelf]


async def get_pulse() -> dict[str, str]:
    """Say that it lives."""
    return {"status": "ok"}


PUT_BOOK = sample_operation(
    put_book, HttpTrigger("POST", "/shelves/{shelf}/books", Permission.DOCUMENT_WRITE, RateClass.WRITE, 201)
)
LIST_BOOKS = sample_operation(
    list_books, HttpTrigger("GET", "/shelves/{shelf}/books", Permission.DOCUMENT_READ, RateClass.READ)
)
GET_PULSE = sample_operation(get_pulse, HttpTrigger("GET", "/pulse", None, RateClass.READ))


async def caller_of(request: Request) -> Caller | None:
    role = request.headers.get("x-role")
    return Caller(TenantId("acme"), UserId("ada"), Role(role)) if role else None


@pytest.fixture
def api() -> httpx.AsyncClient:
    app = build_app(
        [PUT_BOOK, GET_PULSE],
        lambda operation: Services(),
        caller_of,
        limiters_in_memory(),
        trail_of=trails_in_memory(),
    )
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://api.test")


OWNER = {"x-role": "owner"}
JSON = {"content-type": "application/json"}


async def call(app, method, path, headers, receive) -> dict[str, Any]:
    """Send one request as a server would, and return the start of the answer."""
    sent: list[dict[str, Any]] = []
    scope = {
        "type": "http", "http_version": "1.1", "method": method, "path": path, "raw_path": path.encode(),
        "query_string": b"", "headers": headers, "scheme": "https", "server": ("api.test", 443), "root_path": "",
    }  # fmt: skip

    async def send(message):
        sent.append(message)

    await app(scope, receive, send)
    return sent[0]


async def test_operation_gets_path_query_body_caller_and_services(api):
    response = await api.post("/shelves/a/books?copies=2", json={"title": "Dune"}, headers=OWNER)

    assert response.status_code == 201
    assert response.json() == {"shelf": "a", "tenant": "acme", "title": "Dune", "copies": 2}


async def test_nobody_is_refused_before_the_body_is_read(api):
    response = await api.post("/shelves/a/books", content=b"{not json")

    assert response.status_code == 401
    assert response.json()["code"] == "unauthenticated"
    assert response.headers["www-authenticate"] == "Bearer"


async def test_role_without_the_permission_is_refused_before_the_body_is_read(api):
    response = await api.post("/shelves/a/books", content=b"{not json", headers={"x-role": "viewer"})

    assert response.status_code == 403
    assert response.json()["facts"] == {"permission": "document:write"}


async def test_public_route_needs_nobody(api):
    assert (await api.get("/pulse")).json() == {"status": "ok"}


async def test_declared_error_becomes_a_problem_document(api):
    response = await api.post("/shelves/missing/books", json={"title": "Dune"}, headers=OWNER)

    assert response.headers["content-type"] == "application/problem+json"
    assert response.json() == {
        "type": "urn:tessera:problem:shelf-missing",
        "title": "Shelf missing",
        "status": 404,
        "detail": "Make the shelf first.",
        "code": "shelf-missing",
        "request_id": response.headers["x-request-id"],
        "facts": {"shelf": "missing"},
    }


async def test_failure_that_passes_says_when_to_try_again(api):
    response = await api.post("/shelves/busy/books", json={"title": "Dune"}, headers=OWNER)

    assert (response.status_code, response.headers["retry-after"]) == (503, "2")


async def test_missing_capability_is_our_defect_and_no_refusal_of_the_caller(api):
    response = await api.post("/shelves/undeclared/books", json={"title": "Dune"}, headers=OWNER)

    assert (response.status_code, response.json()["code"]) == (500, "internal")
    assert "shelf:Put" not in response.text


async def test_unknown_error_tells_nothing_but_the_request_id(api):
    response = await api.post("/shelves/broken/books", json={"title": "Dune"}, headers=OWNER)

    assert response.status_code == 500
    assert "secret" not in response.text
    assert response.json()["request_id"] == response.headers["x-request-id"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"title": "Dune", "tenant": "globex"}, "body.tenant"),
        ({}, "body.title"),
        ({"title": 3}, "body.title"),
    ],
)
async def test_body_that_does_not_fit_names_the_field(api, body: Any, field: str):
    response = await api.post("/shelves/a/books", json=body, headers=OWNER)

    assert response.status_code == 422
    assert [error["field"] for error in response.json()["errors"]] == [field]


async def test_body_above_the_limit_is_refused_unread(api):
    response = await api.post("/shelves/a/books", content=b" " * (MAX_BODY_BYTES + 1), headers=OWNER)

    assert (response.status_code, response.json()["code"]) == (413, "body-too-large")


@pytest.mark.parametrize("announced", [None, "17", "many"])
async def test_body_is_read_up_to_the_limit_whatever_it_announces(announced):
    """A chunked body has no length, and a length need not be true."""
    pieces, read = 64, 0
    app = build_app(
        [PUT_BOOK], lambda operation: Services(), caller_of, limiters_in_memory(), trail_of=trails_in_memory()
    )

    async def receive():
        nonlocal read
        read += 1
        return {"type": "http.request", "body": b" " * (MAX_BODY_BYTES // 8), "more_body": read < pieces}

    headers = [(b"x-role", b"owner"), (b"content-type", b"application/json")]
    if announced is not None:
        headers.append((b"content-length", announced.encode()))
    sent = await call(app, "POST", "/shelves/a/books", headers, receive)

    assert sent["status"] == 413
    assert read == 9


async def test_an_absurd_length_is_a_body_too_large(api):
    response = await api.post("/shelves/a/books", content=b"", headers=OWNER | {"content-length": "9" * 5000})

    assert (response.status_code, response.json()["code"]) == (413, "body-too-large")


async def test_body_at_the_limit_is_read(api):
    body = b'{"title": "Dune"}'.ljust(MAX_BODY_BYTES)

    response = await api.post("/shelves/a/books", content=body, headers=OWNER | JSON)

    assert response.status_code == 201


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"content-type": ""},
        {"content-type": "text/plain"},
        {"content-type": "application/x-www-form-urlencoded"},
        {"content-type": "application/merge-patch+json"},
        {"content-type": "application/json; charset=latin-1"},
        {"content-type": "application/json", "content-encoding": "gzip"},
    ],
    ids=str,
)
async def test_body_of_another_type_is_refused(api, headers):
    response = await api.post("/shelves/a/books", content=b'{"title": "Dune"}', headers=OWNER | headers)

    assert (response.status_code, response.json()["code"]) == (415, "unsupported-media-type")


@pytest.mark.parametrize(
    "declared", ["application/json", "Application/JSON; charset=UTF-8", 'application/json;charset="utf-8"']
)
async def test_json_is_json_however_it_is_spelt(api, declared):
    response = await api.post(
        "/shelves/a/books", content=b'{"title": "Dune"}', headers=OWNER | {"content-type": declared}
    )

    assert response.status_code == 201


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"{not json", "no JSON"),
        (b'{"title": "Dune"} trailing', "no JSON"),
        (b'\xff{"title": "Dune"}', "UTF-8"),
        ('{"title": "Dune"}'.encode("utf-16"), "UTF-8"),
        (b'\xef\xbb\xbf{"title": "Dune"}', "no JSON"),
        (b'{"title": "Dune", "title": "Emma"}', "twice"),
        (b'{"title": {"a": 1, "b": {"a": 1, "a": 2}}}', "twice"),
        (b'{"title": NaN}', "NaN"),
        (b'{"title": [-Infinity]}', "-Infinity"),
        (b'{"title": 1e999}', "too large"),
        (b'{"title": ' + b"9" * 5000 + b"}", "too long"),
        (b'{"title": "\\ud800"}', "surrogate"),
        (b'{"\\udc00": 1}', "surrogate"),
        (b'{"title": ' + b"[" * MAX_DEPTH + b"]" * MAX_DEPTH + b"}", "too deep"),
        (b"[" * 200_000, "too deep"),
        (b'{"a":' * 200_000, "too deep"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_json_that_parsers_read_differently_is_refused(api, body, said):
    response = await api.post("/shelves/a/books", content=body, headers=OWNER | JSON)

    assert (response.status_code, response.json()["code"]) == (422, "invalid-json")
    assert said in response.json()["detail"]


async def test_depth_up_to_the_limit_is_left_to_the_schema(api):
    depth = MAX_DEPTH - 1
    body = b'{"title": ' + b"[" * depth + b"]" * depth + b"}"

    response = await api.post("/shelves/a/books", content=body, headers=OWNER | JSON)

    assert (response.status_code, response.json()["code"]) == (422, "invalid-request")


@pytest.mark.parametrize(
    ("text", "number"), [("5", 5), ("5.0", 5), ("5e1", 50), ("-0.0", 0), ("5.5", 5.5), ("1e300", 1e300)]
)
def test_a_number_is_whole_however_it_is_written(text, number):
    read = read_json(text.encode())

    assert read == number
    assert isinstance(read, int) == (abs(number) < 100 and number != 5.5)


async def test_whole_characters_of_all_planes_pass(api):
    response = await api.post(
        "/shelves/a/books", content=b'{"title": "\\ud83e\\udded \xf0\x9f\xa7\xad"}', headers=OWNER | JSON
    )

    assert response.json()["title"] == "🧭 🧭"


@pytest.mark.parametrize(
    ("query", "field"),
    [("copys=2", "query.copys"), ("copies=1&copies=2", "query.copies"), ("tenant=globex", "query.tenant")],
)
async def test_parameters_that_nobody_reads_are_refused(api, query, field):
    response = await api.post(f"/shelves/a/books?{query}", json={"title": "Dune"}, headers=OWNER)

    assert (response.status_code, response.json()["code"]) == (422, "invalid-request")
    assert [error["field"] for error in response.json()["errors"]] == [field]


async def test_nobody_learns_parameters_without_being_let_in(api):
    assert (await api.post("/shelves/a/books?copys=2", json={})).status_code == 401


@pytest.mark.parametrize("method", ["PUT", "HEAD", "OPTIONS", "TRACE", "PROPFIND"])
async def test_refused_method_names_all_that_are_taken_there(method):
    app = build_app(
        [PUT_BOOK, LIST_BOOKS, GET_PULSE],
        lambda operation: Services(),
        caller_of,
        limiters_in_memory(),
        trail_of=trails_in_memory(),
    )
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://api.test") as client:
        response = await client.request(method, "/shelves/a/books")

    assert (response.status_code, response.headers["allow"]) == (405, "GET, POST")
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["x-request-id"]


@pytest.mark.parametrize("path", ["/pulse/", "//pulse", "/Pulse", "/shelves//books", "/shelves/a%2Fb/books", "/"])
async def test_a_path_is_taken_to_the_letter(api, path):
    response = await api.get(path)

    assert (response.status_code, response.json()["code"]) == (404, "route-not-found")


async def test_no_client_names_its_request(api):
    response = await api.get("/pulse", headers={"x-request-id": "mine", "x-amzn-requestid": "mine"})

    assert response.headers["x-request-id"].startswith("req_")


@pytest.mark.parametrize(("method", "path", "code"), [
    ("GET", "/nowhere", "route-not-found"),
    ("DELETE", "/pulse", "method-not-allowed"),
])  # fmt: skip
async def test_unknown_route_is_a_problem_document(api, method, path, code):
    response = await api.request(method, path)

    assert response.json()["code"] == code
    assert response.headers["x-content-type-options"] == "nosniff"


def test_openapi_is_derived_from_declaration_and_docstring():
    document = export_openapi(
        build_app(
            [PUT_BOOK, GET_PULSE],
            lambda operation: Services(),
            caller_of,
            limiters_in_memory(),
            trail_of=trails_in_memory(),
        ),
        [PUT_BOOK, GET_PULSE],
    )

    operation = json.loads(document)["paths"]["/shelves/{shelf}/books"]["post"]
    assert operation["operationId"] == "put_book"
    assert operation["summary"] == "Put a book on a shelf."
    assert operation["security"] == [{"bearer": []}]
    assert set(operation["responses"]) == {"201", "401", "403", "404", "413", "415", "422", "429", "500", "503"}
    assert operation["responses"]["404"]["description"] == "Not Found: shelf-missing"
    assert operation["responses"]["401"]["headers"].keys() == {"X-Request-Id", "WWW-Authenticate"}
    assert operation["responses"]["201"]["headers"].keys() == {"X-Request-Id"}
    assert operation["responses"]["429"]["headers"].keys() >= {"Retry-After", "RateLimit-Limit", "RateLimit-Policy"}


def test_docstring_that_names_an_unknown_error_is_a_defect():
    async def get_lost() -> None:
        """Get lost.

        Raises: NoSuchThingError always.
        """

    with pytest.raises(KeyError):
        declared_errors(sample_operation(get_lost, HttpTrigger("GET", "/lost", None, RateClass.READ)))
