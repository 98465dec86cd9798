"""What a tenant really has, by the name of the parameter that names it: foreign ids that are somebody's.

`REAL` is the list of all parameters that name something of a tenant's, with how one comes about. `NAMELESS` are the
others, which say how or how much, and never what. A parameter in neither is one that nobody thought about yet.
"""

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import uuid4

import httpx

from shared.identity.permissions import Permission, Role
from shared.kernel.ids import TenantId
from tests.api.declared import BODIES, ROUTES, parameters_of, path_of, path_parameters
from tests.api.people import PASSWORD, Person
from tests.api.tenants import Tenant, new_tenant_name
from tests.audit.logs import Log
from tests.postgres.logs import copy_events

NEW_PASSWORD: Final = "seven green boats at dawn"
TEXT: Final = "The notice period is 30 days."
SOME: Final = 3
"""How many of each listed thing a tenant has, so that lists have a second page."""


@dataclass(frozen=True)
class Estate:
    """A tenant, and what was made of it so far."""

    tenant: Tenant
    issuer: str
    person: Person
    publish: Callable[..., Awaitable[str]] | None = None
    """What brings a document all the way to search."""
    operates: bool = False
    """Whether it may also send what operators alone may."""
    made: dict[str, Any] = field(default_factory=dict)

    async def real(self, name: str, operation: str = "") -> Any:
        """Return the value by which `name`, a parameter of `operation`, means something of this tenant's.

        Raises: KeyError for a parameter that nobody thought about.
        """
        key = f"{operation} {name}" if name in OF_ONE_OPERATION else name
        if key not in self.made:
            maker = REAL[name](self) if name in REAL else OF_ONE_OPERATION[name](self, operation)
            self.made[key] = await maker
        return self.made[key]

    async def create(self, path: str, **body: Any) -> dict[str, Any]:
        response = await self.tenant.send("POST", path, Role.OWNER, json=body)
        assert response.status_code == 201, response.text
        created: dict[str, Any] = response.json()
        return created


async def settle(estate: Estate) -> None:
    """Give a tenant one of everything that needs no search."""
    for name in REAL:
        await estate.real(name)
    for operation, (declared, route) in ROUTES.items():
        if "idempotency_key" in parameters_of(declared, route):
            await estate.real("idempotency_key", operation)


async def _base(estate: Estate) -> str:
    return await estate.tenant.create_base()


async def _document(estate: Estate) -> str:
    return await estate.tenant.publish(
        await estate.real("kb_id"), f"terms {estate.tenant.canary}.md", f"{TEXT} {estate.tenant.canary}"
    )


async def _content_hash(estate: Estate) -> str:
    await estate.real("document_id")
    return hashlib.sha256(f"{TEXT} {estate.tenant.canary}".encode()).hexdigest()


async def _workspace(estate: Estate) -> str:
    created: str = (await estate.create("/workspaces", name=f"Sales {estate.tenant.canary}"))["id"]
    return created


async def _workspaces(estate: Estate) -> list[str]:
    return [await estate.real("workspace_id")]


async def _invitation(estate: Estate) -> dict[str, Any]:
    email = f"bob-{uuid4().hex}.{estate.tenant.canary}@people.example"
    return await estate.create("/invitations", email=email, role="viewer")


async def _invitation_id(estate: Estate) -> str:
    created: str = (await estate.real("invitation"))["invitation"]["id"]
    return created


async def _invitation_token(estate: Estate) -> str:
    created: str = (await estate.real("invitation"))["token"]
    return created


async def _api_key_id(estate: Estate) -> str:
    created: str = (await estate.create("/api-keys", name=f"machine {estate.tenant.canary}", scope="read"))["key"]["id"]
    return created


async def _provider(estate: Estate) -> dict[str, Any]:
    return await estate.create("/identity-providers", **connection(estate))


async def _provider_id(estate: Estate) -> str:
    created: str = (await estate.real("provider"))["id"]
    return created


async def _redirect_uri(estate: Estate) -> str:
    created: str = (await estate.real("provider"))["redirect_uris"][0]
    return created


async def _email_domains(estate: Estate) -> list[str]:
    created: list[str] = (await estate.real("provider"))["email_domains"]
    return created


async def _started(estate: Estate) -> dict[str, Any]:
    response = await send(estate, "start_oidc_sign_in", {})
    assert response.status_code == 201, response.text
    started: dict[str, Any] = response.json()
    return started


async def _state(estate: Estate) -> str:
    state: str = (await estate.real("started"))["state"]
    return state


async def _binding(estate: Estate) -> str:
    binding: str = (await estate.real("started"))["binding"]
    return binding


async def _member(estate: Estate) -> str:
    """Somebody who belongs to this tenant and to no other."""
    user = f"only-{uuid4().hex[:12]}"
    estate.tenant.people.enrol(estate.tenant.id, user, Role.VIEWER)
    return user


async def _email(estate: Estate) -> str:
    estate.person.joins(estate.tenant.id)
    return estate.person.email


async def _refresh_token(estate: Estate) -> str:
    await estate.real("email")
    token: str = (await estate.person.session())["refresh_token"]
    return token


async def _tenant(estate: Estate) -> str:
    estate.tenant.headers(Role.OWNER)
    return estate.tenant.id


async def _idempotency_key(estate: Estate, operation: str) -> str:
    """A key under which this tenant already created what it would create."""
    key = f"{operation}-of-{estate.tenant.canary}"
    response = await send(estate, operation, {}, headers={"idempotency-key": key})
    assert response.is_success, response.text
    return key


async def _page_token(estate: Estate, operation: str) -> str:
    """The token of the second page of one of this tenant's lists."""
    for number in range(SOME):
        await _MORE[operation](estate, number)
    first = {"limit": 1}
    is_search = ROUTES[operation][1].method == "POST"
    response = await send(estate, operation, first if is_search else {}, params={} if is_search else first)
    assert response.is_success, response.text
    token: str = response.json()["next_page_token"]
    return token


async def _another_document(estate: Estate, number: int) -> None:
    assert estate.publish is not None
    await estate.publish(estate.tenant, await estate.real("kb_id"), f"{number}.md", f"{TEXT} No. {number}")


async def _another_base(estate: Estate, _: int) -> None:
    await estate.tenant.create_base()


async def _another_key(estate: Estate, number: int) -> None:
    await estate.create("/api-keys", name=f"machine {number}", scope="read")


async def _another_invitation(estate: Estate, number: int) -> None:
    await estate.create("/invitations", email=f"{number}-{uuid4().hex}@people.example", role="viewer")


async def _another_member(estate: Estate, _: int) -> None:
    estate.tenant.headers(Role.VIEWER, user=uuid4().hex)


async def _another_tenant(estate: Estate, _: int) -> None:
    estate.tenant.people.enrol(new_tenant_name(), uuid4().hex, Role.OWNER)


async def _another_workspace(estate: Estate, number: int) -> None:
    await estate.create("/workspaces", name=f"Sales {number}")


async def _another_block(estate: Estate, _: int) -> None:
    await Log(estate.tenant.cloud, TenantId(estate.tenant.id)).write(1)


async def _another_event(estate: Estate, _: int) -> None:
    await copy_events(estate.tenant.cloud, estate.tenant.id, {})


async def _actor(estate: Estate) -> str:
    """Somebody of whom the audit log tells."""
    user = await _member(estate)
    await copy_events(estate.tenant.cloud, estate.tenant.id, {"actor": user})
    return user


async def _resource(estate: Estate) -> str:
    """Something to which something was done."""
    resource = f"knowledge-bases/{await estate.real('kb_id')}"
    await copy_events(estate.tenant.cloud, estate.tenant.id, {"resource": resource})
    return resource


_MORE: Final[Mapping[str, Callable[[Estate, int], Awaitable[None]]]] = {
    "export_audit_log": _another_event,
    "list_api_keys": _another_key,
    "list_audit_events": _another_event,
    "list_documents": _another_document,
    "list_invitations": _another_invitation,
    "list_knowledge_bases": _another_base,
    "list_members": _another_member,
    "list_tenants": _another_tenant,
    "search_knowledge_base": _another_document,
    "list_security_events": _another_key,
    "list_workspaces": _another_workspace,
    "verify_audit_log": _another_block,
}

_PARTS: Final = {"invitation": _invitation, "provider": _provider, "started": _started}
"""What several parameters are parts of; no parameter is called so."""

REAL: Final[Mapping[str, Callable[[Estate], Awaitable[Any]]]] = {
    "actor": _actor,
    "kb_id": _base,
    "resource": _resource,
    "document_id": _document,
    "sha256": _content_hash,
    "workspace_id": _workspace,
    "workspaces": _workspaces,
    "invitation_id": _invitation_id,
    "token": _invitation_token,
    "key_id": _api_key_id,
    "provider_id": _provider_id,
    "redirect_uri": _redirect_uri,
    "email_domains": _email_domains,
    "state": _state,
    "binding": _binding,
    "user_id": _member,
    "email": _email,
    "owner_email": _email,
    "refresh_token": _refresh_token,
    "tenant": _tenant,
    "tenant_id": _tenant,
    **_PARTS,
}

OF_ONE_OPERATION: Final[Mapping[str, Callable[[Estate, str], Awaitable[Any]]]] = {
    "idempotency_key": _idempotency_key,
    "page_token": _page_token,
}

NAMING: Final = frozenset({*REAL, *OF_ONE_OPERATION} - _PARTS.keys())

_NAMELESS: Final = """
    at_least at_most cell cell_id chunking client_id client_secret code config content content_type context
    context_tokens default_role description display_name document_limit end equals exists expires_at field figure
    filters fusion generation in iss issuer kind limit max_sentences max_tokens metadata metadata_fields min_tokens
    minimum_confidence mode name name_prefix new_password operation_id organisation_name outcome overlap_tokens
    own_index password permissions plan present_password query question redirect_uris role rows_per_chunk scope
    shared_with_viewers since size_bytes start status strategy text until url value vector_weight
"""
NAMELESS: Final = frozenset(_NAMELESS.split())


async def send(estate: Estate, operation: str, changes: Mapping[str, Any], **parts: Any) -> httpx.Response:
    """Send a request of this tenant's own that fits, but for `changes` of its path and its body."""
    _, route = ROUTES[operation]
    names = path_parameters(operation)
    ids = {name: changes.get(name) or await estate.real(name) for name in names if name in NAMING}
    ids |= {"figure": "storage_bytes"} if "figure" in names else {}
    body = {**await _fitting(estate, operation), **{name: changes[name] for name in changes if name not in names}}
    parts = {**parts, **({"json": body} if route.method in {"POST", "PUT", "PATCH"} and body else {})}
    path = path_of(operation, **ids)
    if route.permission is None:
        return await estate.tenant.client.request(route.method, path, **parts)
    role = Role.OPERATOR if estate.operates and route.permission is Permission.TENANT_OPERATE else Role.OWNER
    return await estate.tenant.send(route.method, path, role, **parts)


async def _fitting(estate: Estate, operation: str) -> dict[str, Any]:
    """Return the body of a request in which everything is this tenant's own."""
    body = _OWN_BODIES.get(operation)
    return BODIES.get(operation, {}) if body is None else await body(estate)


async def _acceptance(estate: Estate) -> dict[str, Any]:
    return {"token": (await _invitation(estate))["token"], "display_name": "Bob", "password": NEW_PASSWORD}


async def _completion(estate: Estate) -> dict[str, Any]:
    started = await _started(estate)
    secrets_of_it = {name: started[name] for name in ("state", "binding")}
    return {**secrets_of_it, "code": "a-code", "redirect_uri": await estate.real("redirect_uri")}


async def _own_session(estate: Estate) -> dict[str, Any]:
    return {"refresh_token": await _refresh_token(estate)}


async def _own_sign_in(estate: Estate) -> dict[str, Any]:
    return {"email": await estate.real("email"), "password": PASSWORD, "tenant": estate.tenant.id}


async def _own_start(estate: Estate) -> dict[str, Any]:
    return {name: await estate.real(name) for name in ("tenant", "provider_id", "redirect_uri")}


async def _own_transfer(estate: Estate) -> dict[str, Any]:
    return {"user_id": await estate.real("user_id")}


async def _own_connection(estate: Estate) -> dict[str, Any]:
    return connection(estate)


async def _fresh_invitation(_: Estate) -> dict[str, Any]:
    return {"email": _fresh_address(), "role": "viewer"}


async def _fresh_sign_up(_: Estate) -> dict[str, Any]:
    return {
        "organisation_name": "Initech",
        "email": _fresh_address(),
        "password": NEW_PASSWORD,
        "display_name": "Ada",
    }


async def _fresh_tenant(_: Estate) -> dict[str, Any]:
    return {"organisation_name": "Initech", "owner_email": _fresh_address()}


def _fresh_address() -> str:
    return f"{uuid4().hex}@people.example"


_OWN_BODIES: Final[Mapping[str, Callable[[Estate], Awaitable[dict[str, Any]]]]] = {
    "accept_invitation": _acceptance,
    "complete_oidc_sign_in": _completion,
    "create_identity_provider": _own_connection,
    "create_tenant": _fresh_tenant,
    "invite_member": _fresh_invitation,
    "refresh_session": _own_session,
    "sign_in": _own_sign_in,
    "sign_out": _own_session,
    "sign_up": _fresh_sign_up,
    "start_oidc_sign_in": _own_start,
    "transfer_ownership": _own_transfer,
}


def connection(estate: Estate) -> dict[str, Any]:
    """Return the body that connects this tenant's identity provider."""
    return {
        "name": f"Sign-in of {estate.tenant.canary}",
        "issuer": estate.issuer,
        "client_id": "public",
        "redirect_uris": [f"https://{estate.tenant.id}.example/signed-in/{{provider_id}}"],
        "email_domains": [f"{estate.tenant.id}.example"],
    }
