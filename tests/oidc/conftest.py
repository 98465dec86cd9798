"""The API in this process on a real emulator, and a real OpenID provider on loopback for it to believe."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from shared.adapters.dynamodb.tenancy_records import DynamoTenancy
from shared.composition.app import build_whole_app, caller_of_bearer
from shared.composition.services import services_for
from shared.identity.permissions import Role
from shared.identity.users import User
from shared.kernel.clock import SystemClock
from shared.kernel.ids import InvitationId, TenantId, UserId, new_id
from shared.operations.capabilities import IDENTITY
from shared.operations.registry import load_operation
from shared.tenancy.models import Invitation, Member
from shared.tenancy.ports import Put, Register
from tests.enrolment import Enrolment
from tests.ingestion.cloud import running_cloud
from tests.oidc.real_provider import REDIRECT, RealProvider, elliptic_key, sign_in_with_browser, signing_key
from tests.oidc.scripted_provider import ScriptedProvider
from tests.records import transactions_of
from tests.signing import TestSigner, open_signer


@pytest.fixture(scope="session")
def cloud(tmp_path_factory):
    with running_cloud(tmp_path_factory.mktemp("cloud")) as started:
        yield started


@pytest.fixture(scope="session")
def signer(cloud):
    return open_signer(cloud)


@pytest.fixture
async def client(cloud, signer):
    """A fresh app for each test: it remembers nothing of the providers of others."""
    async with _opened(cloud) as opened:
        yield opened


@pytest.fixture
async def another_app(cloud, signer):
    """The same API in another process, as it were: it remembers nothing of what `client` did."""
    async with _opened(cloud) as opened:
        yield opened


def _opened(cloud) -> httpx.AsyncClient:
    authorizer = services_for(load_operation("identity", "authorize_request"), cloud.settings)
    app = build_whole_app(cloud.settings, caller_of_bearer(authorizer.authentication.authenticator.authenticate))
    # Requests of one address are limited, and each test is somebody else.
    address = (f"2001:db8:{uuid4().hex[:4]}:{uuid4().hex[:4]}::1", 1)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app, client=address), base_url="https://api.test")


@pytest.fixture(scope="session")
def keys():
    return [signing_key("first"), elliptic_key("curve")]


@pytest.fixture(scope="session")
def lasting_provider(tmp_path_factory, keys):
    provider = RealProvider(tmp_path_factory.mktemp("provider"), keys)
    provider.start()
    yield provider
    provider.stop()


@pytest.fixture
def own_provider(tmp_path, keys):
    """A provider that the test may stop and change."""
    provider = RealProvider(tmp_path, keys)
    provider.start()
    yield provider
    provider.stop()


@pytest.fixture
def scripted():
    """A provider that says whatever a test wants, where a real one would not."""
    with ScriptedProvider.listening() as provider:
        yield provider


@dataclass(frozen=True)
class Organisation:
    """One tenant with its owner, and people who sign in to it through providers."""

    id: TenantId
    client: httpx.AsyncClient
    signer: TestSigner
    people: Enrolment

    @property
    def records(self) -> DynamoTenancy:
        return self.people.records

    def headers(self, role: Role = Role.OWNER) -> dict[str, str]:
        self.people.enrol(self.id, f"{role.value}-of-it", role)
        return {"authorization": f"Bearer {self.signer.issue(self.id, f'{role.value}-of-it', role)}"}

    async def send(self, method: str, path: str, role: Role = Role.OWNER, **parts: Any) -> httpx.Response:
        return await self.client.request(method, path, headers=self.headers(role) | parts.pop("headers", {}), **parts)

    @property
    def domain(self) -> str:
        """Where its people have their addresses: accounts are global, so each test needs its own."""
        return f"{self.id}.example"

    async def connect(self, issuer: str, **changes: Any) -> dict[str, Any]:
        response = await self.send("POST", "/identity-providers", json=self.connection(issuer, **changes))
        assert response.status_code == 201, response.text
        created: dict[str, Any] = response.json()
        return created

    def connection(self, issuer: str, **changes: Any) -> dict[str, Any]:
        """Return the body that connects a provider as a public client."""
        return {
            "name": "Company sign-in",
            "issuer": issuer,
            "client_id": "public",
            "redirect_uris": [REDIRECT],
            "email_domains": [self.domain],
            **changes,
        }

    async def start(self, provider_id: str, redirect_uri: str = REDIRECT) -> dict[str, Any]:
        body = {"tenant": self.id, "provider_id": provider_id, "redirect_uri": redirect_uri}
        response = await self.client.post("/oidc-sign-ins", json=body)
        assert response.status_code == 201, response.text
        started: dict[str, Any] = response.json()
        return started

    async def sign_in(self, provider: dict[str, Any], login: str, **changes: Any) -> httpx.Response:
        """Go the whole way as `login`, in a browser without cookies of earlier times."""
        started = await self.start(provider["id"])
        returned = self.browse(started, login)
        return await self.complete(completion(started, returned, **changes))

    def browse(self, started: dict[str, Any], login: str) -> httpx.URL:
        """Sign in at the provider as one of its people of this organisation; return where the browser ends."""
        return sign_in_with_browser(started["authorization_url"], f"{login}@{self.id}")

    async def complete(self, body: dict[str, Any]) -> httpx.Response:
        return await self.client.post("/oidc-sign-ins/completion", json=body)

    async def add_member(self, name: str, role: Role) -> UserId:
        """Make a member with an account of that address, as an accepted invitation leaves it."""
        now = SystemClock().now()
        email = f"{name}@{self.domain}"
        user = User(UserId(new_id("usr", now)), email, "A member", "a hash", now)
        member = Member(self.id, user.user_id, role, email, "A member", now, now)
        self.headers()
        await self.records.commit(self.id, [Register(user), Put(member)])
        return user.user_id

    async def invite(self, name: str, role: Role, domain: str | None = None) -> Invitation:
        now = SystemClock().now()
        self.headers()
        invitation = Invitation(
            tenant=self.id,
            invitation_id=InvitationId(new_id("inv", now)),
            email=f"{name}@{domain or self.domain}",
            role=role,
            secret_hashes=("0" * 64,),
            invited_by=UserId("owner-of-it"),
            created_at=now,
            expires_at=now + timedelta(days=1),
        )
        await self.records.commit(self.id, [Put(invitation)])
        return invitation

    async def member(self, user_id: str) -> Member | None:
        return await self.records.member(self.id, UserId(user_id))


@pytest.fixture
def acme(client, signer, cloud):
    return _organisation(client, signer, cloud)


@pytest.fixture
def globex(client, signer, cloud):
    return _organisation(client, signer, cloud)


def _organisation(client, signer, cloud) -> Organisation:
    people = Enrolment(DynamoTenancy(transactions_of(cloud), cloud.address_of(IDENTITY)))
    return Organisation(TenantId(f"tenant-{uuid4().hex[:12]}"), client, signer, people)


def completion(started: dict[str, Any], returned: httpx.URL, **changes: Any) -> dict[str, Any]:
    """Return the body that completes a sign-in with what the browser brought back."""
    body = {
        "state": started["state"],
        "code": returned.params["code"],
        "binding": started["binding"],
        "redirect_uri": str(returned.copy_with(query=None)),
        "iss": returned.params.get("iss"),
        **changes,
    }
    return {name: value for name, value in body.items() if value is not None}
