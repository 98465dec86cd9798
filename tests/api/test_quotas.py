"""What a plan allows of knowledge bases, documents and storage, however many ask at once (T1, T4)."""

import asyncio
from collections import Counter

import httpx

from shared.kernel.ids import TenantId
from shared.knowledge.models import TenantTally
from shared.operations.capabilities import UPLOADS
from tests.api.tenants import problem_of

KIB = 1024


async def create_base(tenant, **body):
    return await tenant.send("POST", "/knowledge-bases", json={"name": "Policies", **body})


async def promise(tenant, base, name="terms.md", **body):
    return await tenant.send("POST", f"/knowledge-bases/{base}/uploads", json={"name": name, **body})


async def tally_of(tenant):
    return await tenant.records.tenant_tally(TenantId(tenant.id))


async def test_exactly_as_many_bases_as_the_plan_allows_however_many_ask_at_once(acme, grant):
    await grant(acme, knowledge_bases=3)

    answers = await asyncio.gather(*(create_base(acme) for _ in range(8)))

    assert Counter(answer.status_code for answer in answers) == {201: 3, 429: 5}
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert problem_of(refused) == (429, "quota-exhausted")
    assert refused.json()["facts"] == {"what": "knowledge_bases", "limit": 3, "used": 3}
    assert (await tally_of(acme)).knowledge_bases == 3


async def test_a_deleted_base_gives_back_all_it_held_at_once(acme, grant):
    await grant(acme, knowledge_bases=1, storage_bytes=10 * KIB)
    base = await acme.create_base()
    await acme.publish(base, "terms.md", "x" * 9 * KIB)
    assert await tally_of(acme) == TenantTally(1, 1, 9 * KIB)

    response = await acme.send("DELETE", f"/knowledge-bases/{base}")

    assert response.status_code == 204
    assert await tally_of(acme) == TenantTally()
    other = await acme.create_base()
    assert (await promise(acme, other, size_bytes=10 * KIB)).status_code == 201


async def test_a_repeated_creation_counts_once_also_when_nothing_is_left(acme, grant):
    await grant(acme, knowledge_bases=1)
    key = {"headers": {"idempotency-key": "one-base"}}

    answers = [await acme.send("POST", "/knowledge-bases", json={"name": "A"}, **key) for _ in range(3)]

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert (await tally_of(acme)).knowledge_bases == 1


async def test_no_base_may_be_given_more_documents_than_the_plan_has(acme, grant):
    await grant(acme, documents_per_knowledge_base=50)
    base = await acme.create_base()
    facts = {"document_limit": 51, "limit": 50}

    created = await create_base(acme, document_limit=51)
    changed = await acme.send("PATCH", f"/knowledge-bases/{base}", json={"document_limit": 51})

    for answer in (created, changed):
        assert problem_of(answer) == (422, "document-limit-above-plan")
        assert answer.json()["facts"] == facts
    assert (await acme.send("GET", f"/knowledge-bases/{base}")).json()["document_limit"] == 50
    assert (await tally_of(acme)).knowledge_bases == 1


async def test_who_is_at_the_limit_is_told_whose_limit_it_is(acme, grant):
    await grant(acme, documents_per_knowledge_base=2)
    of_plan, own = await acme.create_base(), await acme.create_base(document_limit=1)
    for name in ("a", "b"):
        assert (await promise(acme, of_plan, name)).status_code == 201
    assert (await promise(acme, own, "a")).status_code == 201

    by_plan, by_setting = await promise(acme, of_plan, "c"), await promise(acme, own, "b")

    assert problem_of(by_plan) == (429, "quota-exhausted")
    assert by_plan.json()["facts"] == {"what": "documents_per_knowledge_base", "limit": 2, "used": 2}
    assert problem_of(by_setting) == (409, "document-limit-reached")
    assert by_setting.json()["facts"] == {"limit": 1, "used": 1}


async def test_promised_sizes_are_reserved_exactly_however_many_ask_at_once(acme, grant):
    await grant(acme, storage_bytes=5 * KIB)
    base = await acme.create_base()

    answers = await asyncio.gather(*(promise(acme, base, f"n{number}", size_bytes=KIB) for number in range(12)))

    assert Counter(answer.status_code for answer in answers) == {201: 5, 429: 7}
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert refused.json()["facts"] == {"what": "storage_bytes", "limit": 5 * KIB, "used": 5 * KIB}
    assert await tally_of(acme) == TenantTally(1, 5, 5 * KIB)


async def test_a_cancelled_promise_gives_its_room_back(acme, grant):
    await grant(acme, storage_bytes=5 * KIB)
    base = await acme.create_base()
    made = (await promise(acme, base, size_bytes=5 * KIB)).json()
    assert (await promise(acme, base, "other.md", size_bytes=1)).status_code == 429

    await acme.send("POST", f"/knowledge-bases/{base}/documents/{made['document_id']}/cancel")

    assert (await promise(acme, base, "other.md", size_bytes=5 * KIB)).status_code == 201


async def test_a_deleted_document_gives_its_room_back_once(acme, grant):
    await grant(acme, storage_bytes=5 * KIB)
    base = await acme.create_base()
    document = await acme.publish(base, "terms.md", "x" * 5 * KIB)
    assert await tally_of(acme) == TenantTally(1, 1, 5 * KIB)

    answers = [await acme.send("DELETE", f"/knowledge-bases/{base}/documents/{document}") for _ in range(2)]

    assert [answer.status_code for answer in answers] == [204, 404]
    assert await tally_of(acme) == TenantTally(1, 0, 0)


async def test_a_form_takes_no_more_than_was_promised(acme, cloud, grant):
    await grant(acme, storage_bytes=5 * KIB)
    base = await acme.create_base()
    made = (await promise(acme, base, size_bytes=10)).json()

    answer = await asyncio.to_thread(_send_form, made, b"x" * 11)

    assert answer == 400
    assert "Contents" not in cloud.s3.list_objects_v2(Bucket=cloud.address_of(UPLOADS), Prefix=made["fields"]["key"])
    assert await asyncio.to_thread(_send_form, made, b"x" * 10) < 300


def _send_form(made, content):

    return httpx.post(made["url"], data=made["fields"], files={"file": content}).status_code


async def test_another_tenants_use_is_nobody_elses(acme, globex, grant):
    await grant(acme, knowledge_bases=1)
    await grant(globex, knowledge_bases=1)

    assert [(await create_base(tenant)).status_code for tenant in (acme, globex, acme)] == [201, 201, 429]
