"""What must be there before a request can do what it is for: of one that is refused, half of the calls are recorded."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final
from uuid import uuid4

import httpx

from shared.identity.permissions import Role
from tests.api.people import PASSWORD
from tests.isolation.estate import NEW_PASSWORD, TEXT, Estate, send
from tests.oidc.scripted_provider import ScriptedProvider

SECOND_CELL: Final = "second"


async def _promised(estate: Estate) -> dict[str, Any]:
    return {"document_id": (await estate.tenant.promise(await estate.real("kb_id")))["document_id"]}


async def _cancelled(estate: Estate) -> dict[str, Any]:
    dropped = await estate.tenant.drop(await estate.real("kb_id"), "late.md", TEXT)
    changes = {"document_id": dropped.document_id}
    await _done(await send(estate, "cancel_document", changes))
    return changes


async def _moving(estate: Estate) -> dict[str, Any]:
    await _done(await send(estate, "start_tenant_move", {"cell": SECOND_CELL}))
    return {}


async def _overridden(estate: Estate) -> dict[str, Any]:
    await _done(await send(estate, "override_figure", {}))
    return {}


async def _exported(estate: Estate) -> dict[str, Any]:
    await estate.real("actor")
    return {}


async def _of_workspace(estate: Estate) -> dict[str, Any]:
    return {"workspace_id": await estate.real("workspace_id")}


async def _promoted(estate: Estate) -> dict[str, Any]:
    return {"role": Role.REVIEWER.value}


async def _renamed(estate: Estate) -> dict[str, Any]:
    return {"name": "Initech"}


async def _previewed(estate: Estate) -> dict[str, Any]:
    return {"name": "a.md", "text": TEXT}


async def _of_one_owner(_: Estate) -> dict[str, Any]:
    return {"owner_email": f"{uuid4().hex}@people.example"}


async def _of_one_address(_: Estate) -> dict[str, Any]:
    return {"email": f"{uuid4().hex}@people.example"}


async def _to_a_cell(estate: Estate) -> dict[str, Any]:
    return {"cell": SECOND_CELL}


DEEDS: Final[Mapping[str, Callable[[Estate], Awaitable[dict[str, Any]]]]] = {
    "cancel_document": _promised,
    "cancel_tenant_move": _moving,
    "change_member_role": _promoted,
    "create_knowledge_base": _of_workspace,
    "create_tenant": _of_one_owner,
    "export_audit_log": _exported,
    "preview_chunks": _previewed,
    "remove_override": _overridden,
    "retry_document": _cancelled,
    "sign_up": _of_one_address,
    "start_tenant_move": _to_a_cell,
    "update_knowledge_base": _of_workspace,
    "update_tenant": _renamed,
}
"""Makes what is missing, and returns what to send differently."""


async def of_a_session(estate: Estate, operation: str) -> httpx.Response:
    """Send what a person sends about their own account: they have a password, and a session that it began."""
    person = estate.person.joins(estate.tenant.id)
    token = (await person.session())["access_token"]
    if operation == "change_password":
        words = {"present_password": PASSWORD, "new_password": NEW_PASSWORD}
        return await person.post("/account/password", words, token)
    return await person.post("/sessions/end-all", None, token)


async def of_a_leaving_member(estate: Estate, _operation: str) -> httpx.Response:
    return await estate.tenant.send("DELETE", "/membership", Role.VIEWER, user="leaver")


BY_OTHERS: Final = {
    "change_password": of_a_session,
    "end_all_sessions": of_a_session,
    "leave_tenant": of_a_leaving_member,
}
"""Operations that an owner cannot do for others."""


async def returned_from(provider: ScriptedProvider, estate: Estate) -> dict[str, Any]:
    """Return what completes a sign-in of somebody who is invited and vouched for."""
    email = f"ada@{estate.tenant.id}.example"
    await _done(await send(estate, "invite_member", {"email": email}))
    provider.claims = {"email": email, "sub": f"subject-of-{estate.tenant.id}"}
    started = await estate.real("started")
    provider.authorize(started["authorization_url"])
    return {name: started[name] for name in ("state", "binding")}


async def with_a_key(estate: Estate) -> None:
    """Use an API key, which notes when it was used."""
    secret = (await estate.create("/api-keys", name="machine", scope="read"))["api_key"]
    await _done(await estate.tenant.client.get("/me", headers={"authorization": f"Bearer {secret}"}))


async def _done(response: httpx.Response) -> None:
    assert response.is_success, response.text
