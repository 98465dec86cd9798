"""The HTTP entry layer: who gets in, in which order, and what a refusal looks like."""

import json

import httpx
import pytest

from shared.operations.declaration import HttpTrigger, RateClass
from shared.operations.openapi import declared_errors, export_openapi
from tests.unit.operations.samples import sample_operation
from tests.unit.operations.shelves import GET_PULSE, LIST_BOOKS, OWNER, PUT_BOOK, app_of


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
    assert response.json()["detail"].endswith("Ask somebody who does: owner, maintainer.")


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
    app = app_of(PUT_BOOK, LIST_BOOKS, GET_PULSE)
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
        app_of(PUT_BOOK, GET_PULSE),
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
