"""Every forged credential at the door of the whole API: one answer to all of them (T2, decision 0014)."""

import asyncio
import time

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from shared.composition.entry import build_handler
from shared.identity.permissions import Role
from shared.kernel.ids import TenantId
from shared.operations.registry import load_operation
from shared.tenancy.ports import Remove
from tests.api.tenants import new_tenant_name
from tests.signing import ISSUER
from tests.unit.identity.forgeries import FORGERIES
from tests.unit.identity.forging import open_workshop

USER = "ada@example.maintainer"


@pytest.fixture
def shop(acme, issuer):
    """Forge around the deployment's own key, an organisation and a member that are really there."""
    acme.headers()
    key = load_pem_private_key(issuer.private_key.encode(), password=None)
    assert isinstance(key, RSAPrivateKey)
    return open_workshop(
        key,
        generate_private_key(public_exponent=65537, key_size=2048),
        int(time.time()),
        key_id=issuer.key_id,
        iss=ISSUER,
        tenant=acme.id,
        sub=USER,
    )


@pytest.fixture
def send(app):
    """Send a request with the exact bytes of an Authorization header; answer with all but the request's id."""

    async def sent(authorization):
        headers = [] if authorization is None else [(b"authorization", authorization)]
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="https://api.test") as client:
            return fingerprint(await client.get("/me", headers=headers))

    return sent


def fingerprint(response):
    request_id = response.headers["x-request-id"].encode()
    headers = sorted((name, value) for name, value in response.headers.items() if name != "x-request-id")
    return response.status_code, headers, response.content.replace(request_id, b"-")


def bearer(token):
    return b"Bearer " + token.encode("utf-8", "surrogatepass")


async def test_every_forgery_gets_the_one_answer_that_nobody_gets(shop, send, acme):
    assert (await send(bearer(shop.good.genuine())))[0] == 200
    nobody = await send(None)
    assert nobody[0] == 401

    accepted = {name for name, forge in FORGERIES.items() if await send(bearer(forge(shop))) != nobody}

    assert accepted == set()


async def test_whatever_else_is_wrong_with_credentials_gets_that_answer_too(shop, send, acme, issuer, people, globex):
    created = (await acme.send("POST", "/api-keys", json={"name": "m", "scope": "read"})).json()["api_key"]
    globex.headers()
    people.enrol(acme.id, "gone", Role.OWNER)
    member = await people.records.member(TenantId(acme.id), "gone")
    gone = issuer.issue(acme.id, "gone", Role.OWNER)
    await people.records.commit(TenantId(acme.id), [Remove(member)])
    token = shop.good.genuine()
    credentials = {
        "empty": b"",
        "scheme alone": b"Bearer",
        "scheme and spaces": b"Bearer    ",
        "another scheme": b"Basic YWRhOmh1bnRlcjI=",
        "token as another scheme": b"Token " + token.encode(),
        "token without a scheme": token.encode(),
        "token as a negotiation": b"Negotiate " + token.encode(),
        "not ASCII": "Bearer Ядро".encode(),
        "bytes": b"Bearer \xff\xfe",
        "no member": bearer(issuer.issue(acme.id, "mallory", Role.MAINTAINER)),
        "member who is gone": bearer(gone),
        "member of another tenant": bearer(issuer.issue(globex.id, "mallory", Role.MAINTAINER)),
        "the user in another tenant as another role": bearer(issuer.issue(globex.id, USER, Role.OWNER)),
        "tenant that is not there": bearer(issuer.issue(new_tenant_name(), USER, Role.MAINTAINER)),
        **{f"role {role}": bearer(issuer.issue(acme.id, USER, role)) for role in Role if role is not Role.MAINTAINER},
        "operator of a tenant": bearer(issuer.issue(acme.id, "ada@example.operator", Role.OPERATOR)),
        "key with another secret": bearer(created[:-43] + "A" * 43),
        "key of another tenant": bearer(created.replace(acme.id, globex.id)),
        "key cut": bearer(created[:-1]),
        "invitation as a key": bearer(created.replace("tsk_", "tin_")),
        "refresh token as a key": bearer(created.replace("tsk_", "trt_")),
    }
    nobody = await send(None)

    different = {name for name, sent in credentials.items() if await send(sent) != nobody}

    assert different == set()


def test_gateway_hands_on_nobody_for_every_forgery(cloud, shop):
    authorize = build_handler(load_operation("identity", "authorize_request"), cloud.settings)

    def decision(token):
        return authorize({"headers": {"authorization": f"Bearer {token}"}}, None)

    assert decision(shop.good.genuine())["context"]["tenant"] == shop.claims["tenant"]
    nobody = {"isAuthorized": True, "context": {}}
    assert {name for name, forge in FORGERIES.items() if decision(forge(shop)) != nobody} == set()


@pytest.mark.parametrize("handed_on", [{}, None])
async def test_function_behind_the_gateway_answers_nobody_as_the_app_does(cloud, send, handed_on):
    def behind_the_gateway():
        # Mangum wants the loop that a function keeps for its whole life.
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        handle = build_handler(load_operation("identity", "get_caller"), cloud.settings)
        answer = handle(gateway_event("/me", handed_on), None)
        loop.close()
        asyncio.set_event_loop(None)
        return answer

    answer = await asyncio.to_thread(behind_the_gateway)

    status, _, body = await send(None)
    assert (answer["statusCode"], answer["body"].replace("req-1", "-").encode()) == (status, body)


def gateway_event(path, context):
    return {
        "version": "2.0", "routeKey": f"GET {path}", "rawPath": path, "rawQueryString": "", "headers": {},
        "requestContext": {
            "requestId": "req-1",
            "http": {"method": "GET", "path": path, "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1", "userAgent": "t"},
            "authorizer": {"lambda": context},
        },
        "isBase64Encoded": False,
    }  # fmt: skip
