"""Which bodies the HTTP entry layer reads: JSON of a bounded size that all parsers read alike."""

from typing import Any

import httpx
import pytest

from shared.identity.permissions import Permission
from shared.operations.bodies import MAX_BODY_BYTES, MAX_DEPTH, read_json
from shared.operations.declaration import HttpTrigger, RateClass
from shared.tenancy.requests import ChangeMemberRoleRequest
from tests.unit.operations.samples import sample_operation
from tests.unit.operations.shelves import JSON, OWNER, PUT_BOOK, app_of


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


async def change_role(request: ChangeMemberRoleRequest) -> str:
    """Say which role was asked for."""
    return request.role


async def test_values_to_choose_from_are_told_as_they_are_sent():
    operation = sample_operation(change_role, HttpTrigger("PUT", "/role", Permission.MEMBER_WRITE, RateClass.WRITE))
    transport = httpx.ASGITransport(app_of(operation))

    async with httpx.AsyncClient(transport=transport, base_url="https://api.test") as client:
        response = await client.put("/role", json={"role": "boss"}, headers=OWNER)

    (error,) = response.json()["errors"]
    assert error["problem"] == "Input should be 'owner', 'maintainer', 'reviewer' or 'viewer'"


async def test_body_above_the_limit_is_refused_unread(api):
    response = await api.post("/shelves/a/books", content=b" " * (MAX_BODY_BYTES + 1), headers=OWNER)

    assert (response.status_code, response.json()["code"]) == (413, "body-too-large")


@pytest.mark.parametrize("announced", [None, "17", "many"])
async def test_body_is_read_up_to_the_limit_whatever_it_announces(announced):
    """A chunked body has no length, and a length need not be true."""
    pieces, read = 64, 0
    app = app_of(PUT_BOOK)

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
