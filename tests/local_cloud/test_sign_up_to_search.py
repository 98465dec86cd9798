"""From signing up to a cited answer, as each role, through the deployed gateway and its authorizer (measure 6)."""

import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import httpx
import pytest

from localstack import aws, function_logs
from localstack.api import Api
from localstack.cloud import LocalCloud
from shared.identity.permissions import MEMBER_ROLES, Permission, Role, is_permitted
from tests.local_cloud.conftest import Tenant
from tests.local_cloud.people import ISSUER
from tests.signing import stranger_beside

pytestmark = [pytest.mark.real_server, pytest.mark.slow]

RULE = "The notice period is 30 days."
LATER_RULE = "A deposit of 50 euros is asked for."
QUESTION = "How long is the notice period?"
REFUSED_WITHIN_S = 60.0
INVITED = tuple(role for role in MEMBER_ROLES if role is not Role.OWNER)


@dataclass(frozen=True)
class Member:
    """A person with an account, signed in through the deployed API."""

    role: Role
    email: str
    password: str
    user_id: str
    session: dict[str, Any]
    api: Api

    @classmethod
    def signed_in(cls, role: Role, email: str, password: str, user_id: str, stranger: Api, address: str) -> "Member":
        session = stranger.call("POST", "/sessions", {"email": email, "password": password})
        return cls(role, email, password, user_id, session, Api(address, session["access_token"]))


@dataclass(frozen=True)
class Organisation:
    """An organisation with a member of each role, a base, and one document in it that is ready."""

    cloud: LocalCloud
    tenant: str
    members: dict[Role, Member]
    kb_id: str
    document_id: str

    def as_seen_by(self, role: Role) -> Tenant:
        return Tenant(self.cloud, self.tenant, self.members[role].api)

    def stranger(self) -> Api:
        return Api(self.cloud.api_address, None)


def new_person(role: Role) -> tuple[str, str]:
    return f"{role}-{secrets.token_hex(6)}@people.example", secrets.token_urlsafe(16)


def signed_up(cloud: LocalCloud, stranger: Api) -> Member:
    email, password = new_person(Role.OWNER)
    body = {"organisation_name": "Alderbrook", "display_name": "Ada", "email": email, "password": password}
    made = stranger.call("POST", "/sign-ups", body)
    return Member.signed_in(Role.OWNER, email, password, made["user_id"], stranger, cloud.api_address)


def invited(cloud: LocalCloud, stranger: Api, owner: Member, role: Role) -> Member:
    email, password = new_person(role)
    issued = owner.api.call("POST", "/invitations", {"email": email, "role": role.value})
    body = {"token": issued["token"], "display_name": role.value.title(), "password": password}
    joined = stranger.call("POST", "/invitation-acceptances", body)
    return Member.signed_in(role, email, password, joined["user_id"], stranger, cloud.api_address)


@pytest.fixture(scope="module")
def organisation(local_cloud: LocalCloud) -> Iterator[Organisation]:
    with Api(local_cloud.api_address, None) as stranger:
        owner = signed_up(local_cloud, stranger)
        members: dict[Role, Member] = {Role.OWNER: owner}
        for role in INVITED:
            members[role] = invited(local_cloud, stranger, owner, role)
    tenant = owner.session["tenant"]
    maintainer = Tenant(local_cloud, tenant, members[Role.MAINTAINER].api)
    kb_id = maintainer.create_knowledge_base()
    document_id = maintainer.upload(kb_id, "terms.md", RULE.encode())
    assert maintainer.wait(kb_id, "terms.md")["status"] == "ready"
    yield Organisation(local_cloud, tenant, members, kb_id, document_id)
    for member in members.values():
        member.api.__exit__()


@pytest.mark.parametrize("role", MEMBER_ROLES)
def test_every_role_finds_the_rule_and_gets_it_quoted(organisation, role):
    member = organisation.as_seen_by(role)

    found = member.search(organisation.kb_id, QUESTION)
    answer = member.ask(organisation.kb_id, QUESTION)

    assert {hit["document_id"] for hit in found["hits"]} == {organisation.document_id}
    assert [citation["quote"] for citation in answer["citations"]] == [RULE]


ACTIONS = [
    (Permission.CALLER_READ, "GET", "/me", None),
    (Permission.TENANT_READ, "GET", "/tenant", None),
    (Permission.TENANT_WRITE, "PATCH", "/tenant", {"name": "Alderbrook"}),
    (Permission.TENANT_OPERATE, "GET", "/tenants", None),
    (Permission.MEMBER_READ, "GET", "/members", None),
    (Permission.MEMBER_WRITE, "POST", "/invitations", {"email": "new@people.example", "role": "viewer"}),
    (Permission.WORKSPACE_READ, "GET", "/workspaces", None),
    (Permission.SECURITY_READ, "GET", "/security-events", None),
    (Permission.KNOWLEDGE_BASE_READ, "GET", "/knowledge-bases/{kb_id}", None),
    (Permission.KNOWLEDGE_BASE_WRITE, "PATCH", "/knowledge-bases/{kb_id}", {"description": "Terms"}),
    (Permission.DOCUMENT_READ, "GET", "/knowledge-bases/{kb_id}/documents/{document_id}", None),
    (Permission.DOCUMENT_WRITE, "POST", "/knowledge-bases/{kb_id}/uploads", {"name": "more.md", "size_bytes": 10}),
]


@pytest.mark.parametrize("role", MEMBER_ROLES)
@pytest.mark.parametrize(
    ("permission", "method", "path", "body"), ACTIONS, ids=[f"{method} {path}" for _, method, path, _ in ACTIONS]
)
def test_role_may_do_what_the_table_says(organisation, role, permission, method, path, body):
    sent_to = path.format(kb_id=organisation.kb_id, document_id=organisation.document_id)

    response = organisation.members[role].api.send(method, sent_to, body)

    if is_permitted(role, permission):
        assert response.is_success, response.text
    else:
        assert (response.status_code, response.json()["code"]) == (HTTPStatus.FORBIDDEN, "forbidden")
    assert int(response.headers["ratelimit-remaining"]) < int(response.headers["ratelimit-limit"])
    assert int(response.headers["ratelimit-reset"]) >= 0


def test_file_dropped_into_the_bucket_is_searchable_by_the_viewer(organisation):
    owner, viewer = organisation.as_seen_by(Role.OWNER), organisation.as_seen_by(Role.VIEWER)

    owner.drop(organisation.kb_id, "deposit.md", LATER_RULE)
    owner.wait(organisation.kb_id, "deposit.md")

    answer = viewer.ask(organisation.kb_id, "How much deposit is asked for?")
    assert [citation["quote"] for citation in answer["citations"]] == [LATER_RULE]


def test_refreshed_session_goes_on_and_a_refresh_token_is_good_once(organisation):
    reviewer = organisation.members[Role.REVIEWER]
    spent = reviewer.session["refresh_token"]

    with organisation.stranger() as stranger:
        refreshed = stranger.call("POST", "/sessions/refresh", {"refresh_token": spent})

    assert refreshed["refresh_token"] != spent
    with Api(organisation.cloud.api_address, refreshed["access_token"]) as api:
        assert api.call("GET", "/me")["role"] == Role.REVIEWER


def test_published_keys_verify_the_tokens_of_the_deployed_sign_in(organisation):
    import jwt

    with organisation.stranger() as stranger:
        published = {key["kid"]: key for key in stranger.call("GET", "/.well-known/jwks.json")["keys"]}
    token = organisation.members[Role.OWNER].session["access_token"]

    key = jwt.PyJWK(published[jwt.get_unverified_header(token)["kid"]])
    claims = jwt.decode(token, key, algorithms=["RS256"], audience="tessera", issuer=ISSUER)

    assert (claims["tenant"], claims["role"]) == (organisation.tenant, Role.OWNER)


def test_bad_credentials_of_every_kind_get_the_same_answer(organisation, people):
    owner = organisation.members[Role.OWNER]
    strange_key = stranger_beside(people.signer).issue(organisation.tenant, owner.user_id, Role.OWNER, iss=ISSUER)
    bad = {
        "no token at all": "nothing",
        "a strange key": strange_key,
        "expired": people.signer.issue(
            organisation.tenant, owner.user_id, Role.OWNER, iss=ISSUER, iat=1_700_000_000, exp=1_700_000_060
        ),
        "a role that the member does not have": people.signer.issue(
            organisation.tenant, owner.user_id, Role.VIEWER, iss=ISSUER
        ),
        "another environment's": people.signer.issue(
            organisation.tenant, owner.user_id, Role.OWNER, iss="urn:tessera:prod"
        ),
        "an API key that nobody made": f"tsk_{organisation.tenant}.{'0' * 26}.{secrets.token_urlsafe(32)}",
        "a refresh token": owner.session["refresh_token"],
    }

    answers = {}
    for kind, credential in bad.items():
        with Api(organisation.cloud.api_address, credential) as api:
            answers[kind] = api.send("GET", "/knowledge-bases")

    assert {kind: answer.status_code for kind, answer in answers.items()} == dict.fromkeys(bad, 401)
    assert {answer.headers["content-type"] for answer in answers.values()} == {"application/problem+json"}
    bodies = {kind: {**answer.json(), "request_id": "", "instance": ""} for kind, answer in answers.items()}
    assert len({str(sorted(body.items())) for body in bodies.values()}) == 1


def test_missing_token_is_refused_by_the_gateway_itself(organisation):
    assert httpx.get(f"{organisation.cloud.api_address}/knowledge-bases").status_code == HTTPStatus.UNAUTHORIZED


@pytest.mark.timeout(180)
def test_removed_member_is_refused_within_a_minute(organisation):
    viewer = organisation.members[Role.VIEWER]
    assert viewer.api.send("GET", "/me").status_code == HTTPStatus.OK  # so that every cache on the way knows them

    organisation.members[Role.OWNER].api.call("DELETE", f"/members/{viewer.user_id}")
    began = time.monotonic()
    while (refused := viewer.api.send("GET", "/me")).status_code == HTTPStatus.OK:
        assert time.monotonic() - began < REFUSED_WITHIN_S
        time.sleep(0.5)
    took_s = time.monotonic() - began

    assert (refused.status_code, refused.json()["code"]) == (HTTPStatus.UNAUTHORIZED, "unauthenticated")
    assert took_s < REFUSED_WITHIN_S
    with organisation.stranger() as stranger:
        again = stranger.send("POST", "/sessions", {"email": viewer.email, "password": viewer.password})
        refresh = stranger.send("POST", "/sessions/refresh", {"refresh_token": viewer.session["refresh_token"]})
    assert not again.is_success
    assert refresh.status_code == HTTPStatus.UNAUTHORIZED
    print(f"\nremoved member refused after {took_s:.1f} s")


def test_nothing_secret_stands_in_the_logs(organisation):
    emulator = organisation.cloud.emulator
    lines = list(function_logs.read(emulator))
    logged = "\n".join(line.text for line in lines)
    log = logged + (emulator.directory / "emulator.log").read_text(encoding="utf-8", errors="replace")
    stored = aws.secrets(emulator.endpoint).get_secret_value(SecretId="tessera-local-signing-keys")

    signing_in = {f"tessera-local-{name}" for name in ("sign_up", "sign_in", "refresh_session", "authorize_request")}
    assert signing_in <= {line.function for line in lines}
    assert "PRIVATE KEY" in stored["SecretString"]
    assert "PRIVATE KEY" not in log
    for member in organisation.members.values():
        for secret in (member.password, member.session["refresh_token"], member.session["access_token"]):
            assert secret not in log
