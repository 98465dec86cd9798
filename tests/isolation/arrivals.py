"""Documents as they come in a deployment: files put into the bucket, pages of the web, and what is done with them."""

from typing import Final

from hypothesis import strategies as st

from shared.kernel.ids import KnowledgeBaseId, TenantId
from shared.knowledge.keys import prefix_of
from shared.operations.capabilities import UPLOADS
from tests.isolation.steps import FILES, KEY, NUMBER, TEXTS, Actor, Seen, Step, document_of, numbered, step_of
from tests.web_server import answer

PAGES: Final = ("terms.md", "moved.md", "gone.md", "busy.md", "private.md")
"""A page, one that leads to it, one that is not there, one whose server fails, and one that robots may not fetch."""

_CLOSED: Final = b"User-agent: *\nDisallow: /private.md"


async def put_file(actor: Actor, base: int, name: str, text: str) -> Seen:
    """Put a file where files are dropped; nothing answers that."""
    key = prefix_of(TenantId(actor.tenant.id), KnowledgeBaseId(numbered("kb", base))) + name
    cloud = actor.tenant.cloud
    cloud.s3.put_object(Bucket=cloud.address_of(UPLOADS), Key=key, Body=text.encode())
    return []


async def add_page(actor: Actor, base: int, page: str, key: str | None) -> Seen:
    """Name a page of the site that every tenant knows."""
    site = actor.deployment.site
    assert site is not None
    path = f"/knowledge-bases/{numbered('kb', base)}/url-sources"
    headers = {} if key is None else {"idempotency-key": key}
    return [await actor.send("POST", path, json={"url": site.url(f"/{page}")}, headers=headers)]


async def site_says(actor: Actor, text: str, *, is_closed: bool) -> Seen:
    """Have the site say something else from now on. It is the same for both deployments, and no tenant's."""
    site = actor.deployment.site
    assert site is not None
    site.pages |= {
        "/robots.txt": answer(_CLOSED if is_closed else b""),
        "/terms.md": answer(text.encode(), "200 OK", "content-type: text/markdown"),
        "/private.md": answer(f"Private: {text}".encode(), "200 OK", "content-type: text/markdown"),
        "/moved.md": answer(b"", "302 Found", "location: /terms.md"),
        "/busy.md": answer(b"", "503 Unavailable"),
    }
    return []


async def turn(actor: Actor) -> Seen:
    """Have the deployment do whatever is to be done, whosever it is."""
    await actor.deployment.background.turn()
    return []


async def audited(actor: Actor) -> Seen:
    """Look at what the log of a tenant says after a turn: its lines were sealed, and copied to the database."""
    log = await actor.send("GET", "/audit-events", params={"limit": 100})
    assert log.json()["items"]
    return [log, await actor.send("GET", "/audit-log/verification")]


async def rechunk(actor: Actor, base: int, tokens: int) -> Seen:
    """Have a base cut up anew: all of its documents are indexed a second time."""
    chunking = {
        "strategy": "sentences",
        "max_tokens": tokens,
        "min_tokens": 0,
        "overlap_tokens": 0,
        "context_tokens": 8,
    }
    body = {"config": {"chunking": chunking}}
    return [await actor.send("PATCH", f"/knowledge-bases/{numbered('kb', base)}", json=body)]


async def retry(actor: Actor, base: int, name: str) -> Seen:
    kb_id = numbered("kb", base)
    return [await actor.send("POST", f"/knowledge-bases/{kb_id}/documents/{document_of(actor, kb_id, name)}/retry")]


ARRIVING: Final = st.one_of(
    step_of(put_file, base=NUMBER, name=st.sampled_from(FILES), text=st.sampled_from(TEXTS)),
    step_of(add_page, base=NUMBER, page=st.sampled_from(PAGES), key=KEY),
    step_of(rechunk, base=NUMBER, tokens=st.sampled_from([16, 64])),
)
"""What a tenant can bring about; its deployment does it in its own time."""

WORLD: Final = st.one_of(
    st.builds(Step, st.just(turn), st.just({}), st.sampled_from([0, 1, 3])),
    step_of(site_says, text=st.sampled_from(TEXTS), is_closed=st.booleans()),
)
"""What no tenant brings about."""
