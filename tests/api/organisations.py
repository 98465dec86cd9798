"""Organisations as people make them: by signing up, inviting and accepting, over HTTP."""

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx

from shared.identity.permissions import Role
from tests.signing import TestSigner

PASSWORD = "seven green boats at dawn"


def new_email(name: str = "ada") -> str:
    return f"{name}-{uuid4().hex[:12]}@people.example"


@dataclass(frozen=True)
class Person:
    """A member of one organisation, signed in as `role`."""

    tenant: str
    user_id: str
    role: Role
    email: str
    client: httpx.AsyncClient
    issuer: TestSigner

    async def send(self, method: str, path: str, **parts: Any) -> httpx.Response:
        token = self.issuer.issue(self.tenant, self.user_id, self.role)
        headers = {"authorization": f"Bearer {token}", **parts.pop("headers", {})}
        return await self.client.request(method, path, headers=headers, **parts)

    async def invite(self, role: Role = Role.VIEWER, **body: Any) -> dict[str, Any]:
        """Invite somebody and return the answer, token included."""
        asked = {"email": new_email("bob"), "role": role.value, **body}
        response = await self.send("POST", "/invitations", json=asked)
        assert response.status_code == 201, response.text
        issued: dict[str, Any] = response.json()
        return issued

    async def accept(self, token: str, *, password: str = PASSWORD, **body: Any) -> httpx.Response:
        """Accept an invitation as whoever holds its token, without credentials."""
        return await self.client.post("/invitation-acceptances", json={"token": token, "password": password, **body})

    async def accept_with_key(self, token: str, key: str) -> httpx.Response:
        """Accept an invitation by a request that may be sent again."""
        body = {"token": token, "password": PASSWORD}
        return await self.client.post("/invitation-acceptances", json=body, headers={"idempotency-key": key})

    async def bring_in(self, role: Role = Role.VIEWER, **body: Any) -> "Person":
        """Invite somebody who accepts."""
        issued = await self.invite(role, **body)
        response = await self.accept(issued["token"], display_name="Bob")
        assert response.status_code == 201, response.text
        joined = response.json()
        return Person(
            self.tenant, joined["user_id"], role, issued["invitation"]["email"], self.client, self.issuer
        )  # fmt: skip

    async def members(self) -> dict[str, str]:
        """Return the role of each member by user id."""
        response = await self.send("GET", "/members", params={"limit": 100})
        assert response.status_code == 200, response.text
        return {member["user_id"]: member["role"] for member in response.json()["items"]}


async def sign_up(client: httpx.AsyncClient, issuer: TestSigner, **body: Any) -> Person:
    """Found an organisation and return its owner."""
    asked = {"organisation_name": "Acme", "email": new_email(), "password": PASSWORD, "display_name": "Ada", **body}
    response = await client.post("/sign-ups", json=asked)
    assert response.status_code == 201, response.text
    created = response.json()
    return Person(created["tenant"]["id"], created["user_id"], Role.OWNER, asked["email"], client, issuer)
