"""What a tenant may do and what it sees of it: steps that take numbers for ids, also such as nobody has yet."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import httpx
from hypothesis import strategies as st

from shared.adapters.minilm.embedder import MiniLmEmbedder
from shared.identity.permissions import Role
from shared.kernel.ids import DocumentId, KnowledgeBaseId, TenantId, encode_base32
from shared.knowledge.claims import ContentHeldError
from shared.knowledge.keys import parse_key, prefix_of
from shared.retrieval.ports import IndexedChunk, Scope
from tests.ambient import looking_on
from tests.api.tenants import Tenant
from tests.isolation.deployments import Deployment

PASSWORD: Final = "seven green boats at dawn"
EMAIL: Final = "bob@people.example"
NAMES: Final = ("Policies", "Contracts")
FILES: Final = ("terms.md", "menu.md", "keys.md")
TEXTS: Final = (
    "The notice period is 30 days. Notice is given in writing.",
    "The notice period is 60 days. Keys are handed back. Notice, notice, notice.",
    "Soup of the day. The kitchen closes at nine.",
    "Keys are handed back at the end of the tenancy, with the notice in writing.",
)
QUERIES: Final = ("notice period", "How long is the notice period?", "keys handed back", "soup")


@dataclass(frozen=True)
class Actor:
    """One tenant in one deployment, and the secrets that it was given there."""

    tenant: Tenant
    deployment: Deployment
    embedder: MiniLmEmbedder
    secrets: dict[str, str] = field(default_factory=dict)

    async def send(self, method: str, path: str, role: Role = Role.OWNER, **parts: Any) -> httpx.Response:
        return await self.tenant.send(method, path, role, **parts)


Seen = list[httpx.Response | str]
"""What a step showed to its tenant: answers, and what of a document's way is no answer."""


@dataclass(frozen=True)
class Step:
    """One step with its arguments, the same for whichever tenant takes it."""

    take: Callable[..., Awaitable[Seen]]
    arguments: Mapping[str, Any]
    minutes: int = 0
    """How much time passes before it."""

    @property
    def name(self) -> str:
        return str(getattr(self.take, "__name__", ""))

    def __repr__(self) -> str:
        return f"{self.name}({', '.join(f'{name}={value!r}' for name, value in self.arguments.items())})"

    async def by(self, actor: Actor) -> Seen:
        return await self.take(actor, **self.arguments)


def numbered(prefix: str, number: int) -> str:
    return f"{prefix}_{encode_base32(number, 26)}"


def document_of(actor: Actor, base: str, name: str) -> str:
    key = parse_key(prefix_of(TenantId(actor.tenant.id), KnowledgeBaseId(base)) + name)
    assert key is not None
    return key.document_id


def _key(key: str | None) -> dict[str, str]:
    return {} if key is None else {"idempotency-key": key}


async def create_base(actor: Actor, name: str, workspace: int, key: str | None) -> Seen:
    body = {"name": name, **({"workspace_id": numbered("ws", workspace)} if workspace else {})}
    return [await actor.send("POST", "/knowledge-bases", json=body, headers=_key(key))]


async def rename_base(actor: Actor, base: int, name: str) -> Seen:
    return [await actor.send("PATCH", f"/knowledge-bases/{numbered('kb', base)}", json={"name": name})]


async def delete_base(actor: Actor, base: int) -> Seen:
    return [await actor.send("DELETE", f"/knowledge-bases/{numbered('kb', base)}")]


async def create_workspace(actor: Actor, name: str, key: str | None) -> Seen:
    return [await actor.send("POST", "/workspaces", json={"name": name}, headers=_key(key))]


async def delete_workspace(actor: Actor, workspace: int) -> Seen:
    return [await actor.send("DELETE", f"/workspaces/{numbered('ws', workspace)}")]


async def create_upload(actor: Actor, base: int, name: str, key: str | None) -> Seen:
    path = f"/knowledge-bases/{numbered('kb', base)}/uploads"
    return [await actor.send("POST", path, json={"name": name}, headers=_key(key))]


async def publish(actor: Actor, base: int, name: str, text: str) -> Seen:
    """Bring a file all the way to search, each sentence a chunk."""
    tenant, kb_id = TenantId(actor.tenant.id), KnowledgeBaseId(numbered("kb", base))
    found = await actor.tenant.records.knowledge_base(tenant, kb_id)
    if found is None or found.deleted_at is not None:
        return ["no such base"]
    try:
        dropped = await actor.tenant.drop(kb_id, name, text)
    except ContentHeldError:
        return ["held by another document"]
    if dropped.work is None:
        return [dropped.status.value]
    await actor.tenant.complete(dropped, text)
    chunks, start = [], 0
    sentences = [f"{sentence.rstrip('.')}." for sentence in text.split(". ")]
    vectors = await actor.embedder.embed(sentences)
    for ordinal, (sentence, vector) in enumerate(zip(sentences, vectors, strict=True)):
        start = text.index(sentence, start)
        end = start + len(sentence)
        chunks.append(
            IndexedChunk(
                DocumentId(dropped.document_id),
                dropped.work.generation,
                ordinal,
                start,
                end,
                None,
                name,
                "",
                sentence,
                vector,
                {},
            )
        )
    with looking_on():
        await actor.deployment.index.write(tenant, Scope(kb_id, 1), chunks)
        await actor.deployment.index.refresh(tenant, Scope(kb_id, 1))
    return [await actor.send("GET", f"/knowledge-bases/{kb_id}/documents/{dropped.document_id}")]


async def delete_document(actor: Actor, base: int, name: str) -> Seen:
    kb_id = numbered("kb", base)
    path = f"/knowledge-bases/{kb_id}/documents/{document_of(actor, kb_id, name)}"
    return [await actor.send("DELETE", path), await actor.send("GET", path)]


async def read_document(actor: Actor, base: int, name: str) -> Seen:
    kb_id = numbered("kb", base)
    path = f"/knowledge-bases/{kb_id}/documents/{document_of(actor, kb_id, name)}"
    return [await actor.send("GET", path), await actor.send("GET", f"{path}/text")]


async def search(actor: Actor, base: int, query: str, mode: str, limit: int) -> Seen:
    path = f"/knowledge-bases/{numbered('kb', base)}/search"
    body = {"query": query, "mode": mode, "limit": limit}
    first = await actor.send("POST", path, json=body)
    token = first.json().get("next_page_token")
    return [first, *([await actor.send("POST", path, json={**body, "page_token": token})] if token else [])]


async def answer(actor: Actor, base: int, query: str) -> Seen:
    return [await actor.send("POST", f"/knowledge-bases/{numbered('kb', base)}/answers", json={"question": query})]


async def listed(actor: Actor, path: str, base: int, limit: int) -> Seen:
    """Turn all pages of one list."""
    seen: Seen = []
    token = None
    while token is not None or not seen:
        page = {"limit": limit, **({"page_token": token} if token else {})}
        response = await actor.send("GET", path.format(base=numbered("kb", base)), params=page)
        seen.append(response)
        token = response.json().get("next_page_token")
    return seen


async def look(actor: Actor, path: str, base: int) -> Seen:
    return [await actor.send("GET", path.format(base=numbered("kb", base)))]


async def export_log(actor: Actor, limit: int, key: str | None) -> Seen:
    """Export the audit log, and read the file that comes first."""
    response = await actor.send("POST", "/audit-exports", json={"limit": limit}, headers=_key(key))
    link = response.json().get("url")
    if not link:
        return [response]
    async with httpx.AsyncClient() as browser:
        return [response, (await browser.get(link)).text]


async def enrol(actor: Actor, user: str, role: Role) -> Seen:
    return [await actor.send("GET", "/me", role, user=user)]


async def change_role(actor: Actor, user: str, role: Role, to: Role) -> Seen:
    return [await actor.send("PUT", f"/members/{user}.{role.value}/role", json={"role": to.value})]


async def remove_member(actor: Actor, user: str, role: Role) -> Seen:
    answer = await actor.send("DELETE", f"/members/{user}.{role.value}")
    actor.tenant.people.known.discard((actor.tenant.id, f"{user}.{role.value}", role))
    return [answer]


async def invite(actor: Actor, role: Role, key: str | None) -> Seen:
    body = {"email": EMAIL, "role": role.value}
    response = await actor.send("POST", "/invitations", json=body, headers=_key(key))
    if response.status_code == 201:
        actor.secrets[response.json()["invitation"]["id"]] = response.json()["token"]
    return [response]


async def accept(actor: Actor, invitation: int) -> Seen:
    token = actor.secrets.get(numbered("inv", invitation))
    if token is None:
        return ["no such invitation"]
    body = {"token": token, "password": PASSWORD, "display_name": "Bob"}
    return [await actor.tenant.client.post("/invitation-acceptances", json=body)]


async def revoke_invitation(actor: Actor, invitation: int) -> Seen:
    return [await actor.send("DELETE", f"/invitations/{numbered('inv', invitation)}")]


async def create_key(actor: Actor, name: str, key: str | None) -> Seen:
    body = {"name": name, "scope": "read"}
    response = await actor.send("POST", "/api-keys", json=body, headers=_key(key))
    if response.status_code == 201:
        actor.secrets[response.json()["key"]["id"]] = response.json()["api_key"]
    return [response]


async def use_key(actor: Actor, key: int, path: str, base: int) -> Seen:
    secret = actor.secrets.get(numbered("key", key))
    if secret is None:
        return ["no such key"]
    place = path.format(base=numbered("kb", base))
    return [await actor.tenant.client.get(place, headers={"authorization": f"Bearer {secret}"})]


async def revoke_key(actor: Actor, key: int) -> Seen:
    return [await actor.send("DELETE", f"/api-keys/{numbered('key', key)}")]


NUMBER: Final = st.sampled_from([1, 1, 1, 2, 2, 3])
KEY: Final = st.sampled_from([None, "k-1", "k-2"])
_USER: Final = st.sampled_from(["eve", "mallory"])
_ROLE: Final = st.sampled_from([Role.MAINTAINER, Role.VIEWER])
_LISTS: Final = (
    "/knowledge-bases",
    "/knowledge-bases/{base}/documents",
    "/workspaces",
    "/members",
    "/invitations",
    "/api-keys",
    "/security-events",
    "/audit-events",
)
_PLACES: Final = (
    "/me",
    "/usage",
    "/tenant",
    "/knowledge-bases/{base}",
    "/identity-providers",
    "/audit-log/verification",
)


def step_of(take: Callable[..., Awaitable[Seen]], **arguments: st.SearchStrategy[Any]) -> st.SearchStrategy[Step]:
    return st.builds(Step, st.just(take), st.fixed_dictionaries(arguments))


_NAME, FILE, TEXT, QUERY = map(st.sampled_from, (NAMES, FILES, TEXTS, QUERIES))
MODE: Final = st.sampled_from(["keyword", "vector", "hybrid"])

FILLING: Final = st.one_of(
    step_of(create_base, name=_NAME, workspace=st.just(0), key=KEY),
    step_of(publish, base=NUMBER, name=FILE, text=TEXT),
    step_of(create_workspace, name=_NAME, key=KEY),
    step_of(create_upload, base=NUMBER, name=FILE, key=KEY),
    step_of(invite, role=_ROLE, key=KEY),
    step_of(create_key, name=_NAME, key=KEY),
    step_of(enrol, user=_USER, role=_ROLE),
)
"""Steps that make something, most of them out of nothing."""

STEPS: Final = st.one_of(
    FILLING,
    FILLING,
    step_of(create_base, name=_NAME, workspace=NUMBER, key=KEY),
    step_of(rename_base, base=NUMBER, name=_NAME),
    step_of(delete_base, base=NUMBER),
    step_of(delete_workspace, workspace=NUMBER),
    step_of(delete_document, base=NUMBER, name=FILE),
    step_of(read_document, base=NUMBER, name=FILE),
    step_of(search, base=NUMBER, query=QUERY, mode=MODE, limit=st.integers(1, 5)),
    step_of(answer, base=NUMBER, query=QUERY),
    step_of(listed, path=st.sampled_from(_LISTS), base=NUMBER, limit=st.integers(1, 3)),
    step_of(look, path=st.sampled_from(_PLACES), base=NUMBER),
    step_of(change_role, user=_USER, role=_ROLE, to=_ROLE),
    step_of(remove_member, user=_USER, role=_ROLE),
    step_of(accept, invitation=NUMBER),
    step_of(revoke_invitation, invitation=NUMBER),
    step_of(export_log, limit=st.sampled_from([5, 10_000]), key=KEY),
    step_of(use_key, key=NUMBER, path=st.sampled_from([*_PLACES, "/knowledge-bases"]), base=NUMBER),
    step_of(revoke_key, key=NUMBER),
)


def opening(text: str) -> list[Step]:
    """Return what a tenant does first: it makes one of everything."""
    return [
        Step(create_base, {"name": "Policies", "workspace": 0, "key": "k-1"}),
        Step(publish, {"base": 1, "name": "terms.md", "text": text}),
        Step(create_workspace, {"name": "Policies", "key": "k-1"}),
        Step(create_key, {"name": "Policies", "key": "k-1"}),
        Step(invite, {"role": Role.VIEWER, "key": "k-1"}),
        Step(enrol, {"user": "eve", "role": Role.VIEWER}),
    ]


MEDDLING: Final = (
    Step(create_base, {"name": "Contracts", "workspace": 0, "key": "k-2"}),
    Step(accept, {"invitation": 1}),
    Step(revoke_key, {"key": 1}),
    Step(delete_workspace, {"workspace": 1}),
)
"""What the second tenant does with what it made, all of which is called as what the first one made is."""

LOOKING_ROUND: Final = (
    *(Step(search, {"base": 1, "query": QUERIES[0], "mode": mode, "limit": 5}) for mode in ("keyword", "vector")),
    Step(answer, {"base": 1, "query": QUERIES[1]}),
    *(Step(listed, {"path": path, "base": 1, "limit": 100}) for path in _LISTS),
    *(Step(use_key, {"key": 1, "path": path, "base": 1}) for path in ("/me", "/usage")),
    Step(look, {"path": "/audit-log/verification", "base": 1}),
    Step(export_log, {"limit": 10_000, "key": None}),
    Step(create_base, {"name": "Policies", "workspace": 1, "key": "k-2"}),
    Step(accept, {"invitation": 1}),
    Step(delete_document, {"base": 1, "name": "terms.md"}),
    Step(search, {"base": 1, "query": QUERIES[0], "mode": "hybrid", "limit": 5}),
)
"""What the first tenant does at last: it looks at all that it has, and at what is left without a document."""
