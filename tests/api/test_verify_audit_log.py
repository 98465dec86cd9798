"""verify_audit_log."""

import pytest

from shared.identity.permissions import Role
from shared.kernel.ids import TenantId
from shared.kernel.pages import page_token
from tests.api.tenants import problem_of
from tests.audit.logs import Log
from tests.audit.stored_items import with_lines

PATH = "/audit-log/verification"


@pytest.fixture
async def log(acme, cloud):
    """A log of several blocks; what the tenant's own set-up wrote stands in it, too."""
    acme.headers(Role.OWNER)
    written = Log(cloud, TenantId(acme.id))
    await written.write(30, at_once=10)
    return written


async def verified(tenant, **query):
    response = await tenant.send("GET", PATH, Role.OWNER, params=query)
    assert response.status_code == 200, response.text
    return response.json()


async def test_owner_learns_that_the_log_is_intact(acme, log):
    head = await log.blocks.head(log.tenant)

    assert await verified(acme) == {
        "is_intact": True,
        "first_seq": 1,
        "last_seq": head.seq,
        "events": head.seq,
        "last_hash": head.hash.hex(),
        "findings": [],
    }


async def test_owner_learns_what_was_changed(acme, log):
    last = log.block_items()[-1]
    log.put(with_lines(last, lambda lines: lines.replace(b"203.0.113.7", b"203.0.113.8", 1)))

    answer = await verified(acme)

    assert answer["is_intact"] is False
    (altered, head) = answer["findings"]
    assert (altered["fault"], altered["first_seq"]) == ("altered", int(last["first_seq"]["N"]))
    assert head["fault"] == "head-differs"


async def test_a_long_log_is_verified_part_by_part(acme, log):
    parts = [await verified(acme, limit=1)]
    while token := parts[-1].get("next_page_token"):
        parts.append(await verified(acme, limit=1, page_token=token))

    assert len(parts) >= 3
    assert all(part["is_intact"] for part in parts)
    assert [part["first_seq"] for part in parts[1:]] == [part["last_seq"] + 1 for part in parts[:-1]]
    assert parts[-1]["last_seq"] == (await log.blocks.head(log.tenant)).seq


async def test_tokens_of_others_and_made_up_ones_are_refused(acme, globex, log):
    token = (await verified(acme, limit=1))["next_page_token"]
    made_up = page_token("first:of:all", acme.id, "audit-log-verification")

    for tenant, used in ((globex, token), (acme, made_up), (acme, "x")):
        answer = await tenant.send("GET", PATH, Role.OWNER, params={"page_token": used})
        assert problem_of(answer) == (422, "invalid-page-token")


async def test_nothing_is_told_of_another_log(acme, globex, log):
    globex.headers(Role.OWNER)

    assert (await verified(globex))["last_seq"] < (await log.blocks.head(log.tenant)).seq


@pytest.mark.parametrize("role", [Role.MAINTAINER, Role.REVIEWER, Role.VIEWER, Role.OPERATOR])
async def test_others_do_not_verify_it(acme, role):
    assert problem_of(await acme.send("GET", PATH, role)) == (403, "forbidden")
