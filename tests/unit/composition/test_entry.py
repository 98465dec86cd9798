"""The Lambda entry, invoked as API Gateway does."""

import json

import pytest

from shared.composition.entry import build_handler
from shared.composition.services import Services
from shared.composition.settings import Settings
from shared.identity.caller import Caller
from shared.identity.permissions import Permission, Role
from shared.kernel.ids import TenantId, UserId
from shared.operations.callers import write_caller
from shared.operations.declaration import HttpTrigger, RateClass
from shared.operations.registry import load_operation
from tests.trails import MemoryTrail
from tests.unit.operations.samples import sample_operation

pytestmark = pytest.mark.usefixtures("event_loop_of_a_function")


def gateway_event(path, method="GET", authorizer=None):
    context = {"requestId": "req-1", "http": {"method": method, "path": path, "protocol": "HTTP/1.1",
                                              "sourceIp": "127.0.0.1", "userAgent": "test"}}  # fmt: skip
    if authorizer is not None:
        context["authorizer"] = {"lambda": authorizer}
    return {"version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": "", "headers": {},
            "requestContext": context, "isBase64Encoded": False}  # fmt: skip


def test_get_health_answers_through_the_gateway():
    handle = build_handler(load_operation("operations", "get_health"), Settings({}))

    answer = handle(gateway_event("/health"), None)

    assert (answer["statusCode"], json.loads(answer["body"])) == (200, {"status": "ok"})
    assert answer["headers"]["x-request-id"] == "req-1"


def test_problem_documents_are_text_to_the_gateway():
    handle = build_handler(load_operation("operations", "get_health"), Settings({}))

    answer = handle(gateway_event("/nowhere"), None)

    assert json.loads(answer["body"])["code"] == "route-not-found"


@pytest.fixture
def whoami(monkeypatch):
    monkeypatch.setattr(Services, "access_trail", MemoryTrail())

    async def get_caller(caller: Caller) -> dict[str, str]:
        """Say who calls."""
        return {"tenant": caller.tenant, "role": caller.role}

    trigger = HttpTrigger("GET", "/caller", Permission.SEARCH, RateClass.NONE)
    return build_handler(sample_operation(get_caller, trigger), Settings({}))


ADA = Caller(TenantId("acme"), UserId("ada"), Role.VIEWER)


def test_caller_comes_from_the_authorizer(whoami):
    answer = whoami(gateway_event("/caller", authorizer={"caller": write_caller(ADA), "tenant": "globex"}), None)

    assert json.loads(answer["body"]) == {"tenant": "acme", "role": "viewer"}


@pytest.mark.parametrize("authorizer", [None, {}, {"tenant": "acme", "user": "ada", "role": "owner"}])
def test_without_a_caller_from_the_authorizer_the_request_is_nobodys(whoami, authorizer):
    answer = whoami(gateway_event("/caller", authorizer=authorizer), None)

    assert (answer["statusCode"], json.loads(answer["body"])["code"]) == (401, "unauthenticated")


@pytest.mark.parametrize("line", ["", "{}", write_caller(ADA).replace("viewer", "root"), write_caller(ADA) + " "])
def test_caller_of_another_release_is_told_to_come_back(whoami, line):
    answer = whoami(gateway_event("/caller", authorizer={"caller": line}), None)

    assert (answer["statusCode"], answer["headers"]["retry-after"]) == (503, "30")
