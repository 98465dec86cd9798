"""The authorizer as API Gateway calls it: whole event in, whole answer out."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest

from localstack.issuer import AUDIENCE, ISSUER, LocalIssuer, open_issuer
from shared.adapters.jose.key_set import UntrustedKeyAddressError
from shared.composition.entry import build_handler
from shared.composition.settings import Settings
from shared.identity.caller import Caller
from shared.identity.permissions import Role
from shared.identity.tokens import TokenKeysUnavailableError
from shared.kernel.ids import TenantId, UserId
from shared.operations.callers import read_caller
from shared.operations.declaration import LambdaHandler
from shared.operations.registry import load_operation

NOBODY: Final = {"isAuthorized": True, "context": {}}
EVENTS: Final = Path(__file__).resolve().parents[3] / "events" / "authorizer"


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> LocalIssuer:
    return open_issuer(tmp_path_factory.mktemp("issuer"))


def authorizer(keys_address: str, environment: str = "local") -> LambdaHandler:
    variables = {
        "TESSERA_ENVIRONMENT": environment,
        "TESSERA_TOKEN_ISSUER": ISSUER,
        "TESSERA_TOKEN_AUDIENCE": AUDIENCE,
        "TESSERA_TOKEN_KEYS": keys_address,
    }
    return build_handler(load_operation("identity", "authorize_request"), Settings(variables))


def event(case: str, token: str = "") -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((EVENTS / f"{case}.json").read_text().replace("TOKEN", token))
    return loaded


def test_bearer_token_is_answered_with_tenant_user_and_role(issuer: LocalIssuer) -> None:
    token = issuer.issue("acme", "ada@acme.example", Role.REVIEWER)

    answer = authorizer(issuer.keys_address)(event("bearer_token", token), None)

    assert answer["isAuthorized"] is True
    assert read_caller(answer["context"]["caller"]) == Caller(
        TenantId("acme"), UserId("ada@acme.example"), Role.REVIEWER
    )


@pytest.mark.parametrize("case", ["no_credentials", "basic_credentials"])
def test_request_without_a_token_is_nobodys(issuer: LocalIssuer, case: str) -> None:
    assert authorizer(issuer.keys_address)(event(case), None) == NOBODY


def test_expired_token_is_nobodys_and_told_nothing(issuer: LocalIssuer) -> None:
    token = issuer.issue("acme", "ada@acme.example", Role.OWNER, now=datetime(2026, 1, 1, tzinfo=UTC))

    assert authorizer(issuer.keys_address)(event("bearer_token", token), None) == NOBODY


def test_token_of_another_issuer_is_nobodys(issuer: LocalIssuer, tmp_path: Path) -> None:
    token = open_issuer(tmp_path).issue("acme", "mallory@acme.example", Role.OWNER)

    assert authorizer(issuer.keys_address)(event("bearer_token", token), None) == NOBODY


def test_keys_out_of_reach_are_our_failure_not_the_callers(issuer: LocalIssuer, tmp_path: Path) -> None:
    token = issuer.issue("acme", "ada@acme.example", Role.OWNER)

    with pytest.raises(TokenKeysUnavailableError):
        authorizer((tmp_path / "nothing.json").as_uri())(event("bearer_token", token), None)


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_local_issuer_is_refused_outside_the_local_cloud(issuer: LocalIssuer, environment: str) -> None:
    token = issuer.issue("acme", "ada@acme.example", Role.OWNER)

    with pytest.raises(UntrustedKeyAddressError):
        authorizer(issuer.keys_address, environment)(event("bearer_token", token), None)
