"""The authorizer as API Gateway calls it: whole event in, whole answer out."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from shared.composition.entry import build_handler
from shared.composition.settings import Settings
from shared.identity.permissions import Role
from shared.identity.tokens import TokenKeysUnavailableError
from shared.operations.callers import read_caller
from shared.operations.capabilities import IDENTITY
from shared.operations.registry import load_operation
from tests.api.tenants import new_tenant_name
from tests.signing import stranger_beside

NOBODY = {"isAuthorized": True, "context": {}}
EVENTS = Path(__file__).resolve().parents[2] / "events" / "authorizer"


@pytest.fixture
def authorizer(cloud):
    """Build the authorizer's handler, with a few settings changed."""

    def build(**changes):
        return build_handler(load_operation("identity", "authorize_request"), Settings({**cloud.variables, **changes}))

    return build


def event(case, token=""):
    return json.loads((EVENTS / f"{case}.json").read_text().replace("TOKEN", token))


def bearer(headers):
    return headers["authorization"].removeprefix("Bearer ")


def test_bearer_token_is_answered_with_the_caller(authorizer, acme):
    answer = authorizer()(event("bearer_token", bearer(acme.headers(Role.REVIEWER))), None)

    caller = read_caller(answer["context"]["caller"])
    assert answer["isAuthorized"] is True
    assert (caller.tenant, caller.user, caller.role) == (acme.id, "ada@example.reviewer", Role.REVIEWER)
    assert (caller.key_id, caller.permissions, caller.workspaces) == (None, None, None)


@pytest.mark.parametrize("case", ["no_credentials", "basic_credentials"])
def test_request_without_a_token_is_nobodys(authorizer, case):
    assert authorizer()(event(case), None) == NOBODY


def test_expired_token_is_nobodys_and_told_nothing(authorizer, acme, issuer):
    acme.headers(Role.OWNER)
    token = issuer.issue(acme.id, "ada@example.owner", Role.OWNER, now=datetime(2026, 1, 1, tzinfo=UTC))

    assert authorizer()(event("bearer_token", token), None) == NOBODY


def test_token_that_another_key_signed_is_nobodys(authorizer, acme, issuer):
    acme.headers(Role.OWNER)
    token = stranger_beside(issuer).issue(acme.id, "ada@example.owner", Role.OWNER)

    assert authorizer()(event("bearer_token", token), None) == NOBODY


def test_token_of_whoever_is_no_member_is_nobodys(authorizer, issuer):
    token = issuer.issue(new_tenant_name(), "ada@example", Role.OWNER)

    assert authorizer()(event("bearer_token", token), None) == NOBODY


def test_keys_out_of_reach_are_our_failure_not_the_callers(authorizer, acme):
    nowhere = {IDENTITY.variable: "no-such-table"}

    with pytest.raises(TokenKeysUnavailableError):
        authorizer(**nowhere)(event("bearer_token", bearer(acme.headers())), None)
