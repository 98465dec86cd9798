"""Pages of listed origins may read answers; to all others the API says nothing of origins."""

import httpx
import pytest

from shared.operations.cross_origin import ALLOWED_HEADERS, METHODS
from shared.operations.http import DOCS, build_app
from tests.trails import trails_in_memory
from tests.unit.limits.memory import limiters_in_memory
from tests.unit.operations.shelves import GET_PULSE, PUT_BOOK, Services, caller_of

PAGE = "https://app.example"
PREFLIGHT = {"access-control-request-method": "POST", "access-control-request-headers": "authorization,content-type"}
STRANGERS = [
    "https://evil.example",
    "https://app.example.evil.example",
    "https://sub.app.example",
    "http://app.example",
    "https://app.example:8443",
    "https://app.example/",
    "https://APP.example",
    "null",
    "*",
    "",
]


def api_for(*origins: str) -> httpx.AsyncClient:
    app = build_app(
        [PUT_BOOK, GET_PULSE],
        lambda operation: Services(),
        caller_of,
        limiters_in_memory(),
        origins,
        trail_of=trails_in_memory(),
    )
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://api.test")


def cors_headers(response):
    return {name for name in response.headers if name.startswith("access-control-")}


async def test_page_of_a_listed_origin_reads_every_answer():
    api = api_for(PAGE, "http://localhost:3000")

    for method, path in (("GET", "/pulse"), ("POST", "/shelves/a/books"), ("GET", "/nowhere"), ("DELETE", "/pulse")):
        response = await api.request(method, path, headers={"origin": PAGE})

        assert response.headers["access-control-allow-origin"] == PAGE
        assert {"ratelimit-limit", "retry-after", "x-request-id"} <= set(
            response.headers["access-control-expose-headers"].split(", ")
        )
        assert "Origin" in response.headers["vary"]
        assert "access-control-allow-credentials" not in response.headers


async def test_preflight_of_a_listed_origin_needs_no_token_and_names_what_may_be_sent():
    response = await api_for(PAGE).options("/shelves/a/books", headers={"origin": PAGE, **PREFLIGHT})

    assert response.status_code == 204
    assert response.headers["access-control-allow-origin"] == PAGE
    assert response.headers["access-control-allow-methods"].split(", ") == list(METHODS)
    assert response.headers["access-control-allow-headers"].split(", ") == list(ALLOWED_HEADERS)
    assert "idempotency-key" in ALLOWED_HEADERS
    assert response.headers["x-request-id"]
    assert response.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("origin", STRANGERS)
async def test_other_origins_get_no_header_of_it(origin):
    api = api_for(PAGE)

    preflight = await api.options("/shelves/a/books", headers={"origin": origin, **PREFLIGHT})
    answer = await api.get("/pulse", headers={"origin": origin})

    assert (preflight.status_code, preflight.json()["code"]) == (405, "method-not-allowed")
    assert answer.status_code == 200
    assert cors_headers(preflight) == cors_headers(answer) == set()
    assert "Origin" in answer.headers["vary"]


async def test_without_origins_in_the_settings_no_page_may_read():
    response = await api_for().get("/pulse", headers={"origin": PAGE})

    assert cors_headers(response) == set()
    assert "vary" not in response.headers


async def test_options_without_a_preflight_is_no_preflight():
    response = await api_for(PAGE).options("/pulse", headers={"origin": PAGE})

    assert (response.status_code, response.headers["allow"]) == (405, "GET")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/pulse", 200), ("GET", "/nowhere", 404), ("PUT", "/pulse", 405), ("POST", "/shelves/a/books", 401),
        ("GET", "/openapi.json", 200), ("GET", DOCS, 200),
    ],
)  # fmt: skip
async def test_every_answer_carries_its_id_and_the_security_headers(method, path, status):
    response = await api_for().request(method, path)

    assert response.status_code == status
    assert response.headers["x-request-id"].startswith("req_")
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["referrer-policy"] == "no-referrer"
    assert response.headers["cache-control"] == "no-store"
    assert "max-age=" in response.headers["strict-transport-security"]
    policy = response.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert ("script-src" in policy) == (path == DOCS)
