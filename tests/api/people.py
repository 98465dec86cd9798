"""A person as they sign in: an account with a password, from an internet address of their own."""

import secrets
from dataclasses import dataclass, replace
from typing import Any

import argon2
import httpx

from shared.adapters.dynamodb.users import account_items
from shared.identity.permissions import Role
from shared.identity.users import User
from shared.kernel.clock import SystemClock
from shared.kernel.ids import UserId, new_id
from shared.operations.capabilities import IDENTITY
from tests.enrolment import Enrolment
from tests.ingestion.cloud import Cloud

PASSWORD = "wool lamp gravel kite"
_QUICK = argon2.PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)


@dataclass(frozen=True)
class Person:
    """Somebody with an account; the hash of their password is a quick one, until they sign in."""

    user_id: UserId
    email: str
    app: Any
    people: Enrolment
    password: str = PASSWORD

    def joins(self, tenant: str, role: Role = Role.VIEWER) -> "Person":
        self.people.enrol(tenant, self.user_id, role)
        return self

    async def sign_in(self, **changes: Any) -> httpx.Response:
        return await self.post("/sessions", {"email": self.email, "password": self.password, **changes})

    async def session(self, **changes: Any) -> dict[str, Any]:
        response = await self.sign_in(**changes)
        assert response.status_code == 200, response.text
        tokens: dict[str, Any] = response.json()
        return tokens

    async def refresh(self, refresh_token: str) -> httpx.Response:
        return await self.post("/sessions/refresh", {"refresh_token": refresh_token})

    async def post(self, path: str, body: Any = None, access_token: str | None = None) -> httpx.Response:
        return await self.send("POST", path, access_token, json=body)

    async def send(self, method: str, path: str, access_token: str | None = None, **parts: Any) -> httpx.Response:
        headers = {} if access_token is None else {"authorization": f"Bearer {access_token}"}
        async with stranger(self.app) as client:
            return await client.request(method, path, headers=headers, **parts)

    def called(self, email: str) -> "Person":
        """Return somebody who only says that they have that address."""
        return replace(self, email=email)


def stranger(app: Any) -> httpx.AsyncClient:
    """Return a client at an address that nobody counted requests of."""
    address = ".".join(str(1 + secrets.randbelow(250)) for _ in range(4))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app, client=(address, 1)), base_url="https://api.test")


def new_person(cloud: Cloud, app: Any, people: Enrolment) -> Person:
    """Return somebody with an account and no organisation."""
    now = SystemClock().now()
    user_id = UserId(new_id("usr", now))
    email = f"{user_id.removeprefix('usr_')}@people.example"
    for item in account_items(User(user_id, email, "Ada", _QUICK.hash(PASSWORD), now)):
        cloud.dynamodb.put_item(TableName=cloud.address_of(IDENTITY), Item=item)
    return Person(user_id, email, app, people)
