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
from shared.operations.declaration import HttpTrigger, RateClass
from shared.operations.grants import Grants
from shared.operations.http import MAX_BODY_BYTES, build_app
from shared.operations.openapi import declared_errors, export_openapi
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


async def get_pulse() -> dict[str, str]:
    """Say that it lives."""
    return {"status": "ok"}


PUT_BOOK = sample_operation(
    put_book, HttpTrigger("POST", "/shelves/{shelf}/books", Permission.DOCUMENT_WRITE, RateClass.WRITE, 201)
)
GET_PULSE = sample_operation(get_pulse, HttpTrigger("GET", "/pulse", None, RateClass.READ))


async def caller_of(request: Request) -> Caller | None:
    role = request.headers.get("x-role")
    return Caller(TenantId("acme"), UserId("ada"), Role(role)) if role else None


@pytest.fixture
def api() -> httpx.AsyncClient:
    app = build_app([PUT_BOOK, GET_PULSE], lambda operation: Services(), caller_of)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://api.test")


OWNER = {"x-role": "owner"}


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
        build_app([PUT_BOOK, GET_PULSE], lambda operation: Services(), caller_of), [PUT_BOOK, GET_PULSE]
    )

    operation = json.loads(document)["paths"]["/shelves/{shelf}/books"]["post"]
    assert operation["operationId"] == "put_book"
    assert operation["summary"] == "Put a book on a shelf."
    assert operation["security"] == [{"bearer": []}]
    assert set(operation["responses"]) == {"201", "401", "403", "404", "413", "422", "500"}
    assert operation["responses"]["404"]["description"] == "Not Found: shelf-missing"


def test_docstring_that_names_an_unknown_error_is_a_defect():
    async def get_lost() -> None:
        """Get lost.

        Raises: NoSuchThingError always.
        """

    with pytest.raises(KeyError):
        declared_errors(sample_operation(get_lost, HttpTrigger("GET", "/lost", None, RateClass.READ)))
