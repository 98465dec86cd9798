"""The watch over answers, logs, metrics and records finds what it is there for, wherever a leak is planted (T5)."""

import logging
from dataclasses import replace

import pytest

from shared.identity.caller import Caller
from shared.identity.permissions import Role
from shared.kernel.ids import TenantId
from shared.knowledge.catalogue import Catalogue
from shared.operations.capabilities import IDENTITY, METADATA
from tests.api.tenants import Tenant, new_tenant_name
from tests.canaries import WATCH, Watch, WatchedTelemetry, canary_of, marks_in, records_out_of_place


@pytest.fixture
def tenants(app, cloud, issuer, people, new_client):
    return [Tenant(new_tenant_name(), new_client(), issuer, cloud, people) for _ in range(2)]


async def test_answer_with_the_name_of_anothers_base_is_found(tenants, monkeypatch):
    acme, globex = tenants
    base = await acme.create_base()
    await globex.create_base()
    assert WATCH.take() == []
    genuine = Catalogue.knowledge_bases

    async def forgetful(self, *arguments, **named):
        return await genuine(self, *map(as_acme, arguments), **{name: as_acme(one) for name, one in named.items()})

    def as_acme(one):
        return (
            replace(one, tenant=TenantId(acme.id)) if isinstance(one, Caller) else acme.id if one == globex.id else one
        )

    monkeypatch.setattr(Catalogue, "knowledge_bases", forgetful)
    response = await globex.send("GET", "/knowledge-bases", Role.OWNER)

    assert base in response.text
    (leak,) = WATCH.take()
    assert leak.where == "answer to GET /knowledge-bases"
    assert leak.marks == {acme.canary}


async def test_own_names_and_those_that_were_sent_are_no_leak(tenants):
    acme, globex = tenants
    await acme.create_base()
    before = WATCH.responses

    await acme.send("GET", "/knowledge-bases")
    echoed = await globex.send("GET", "/knowledge-bases", params={acme.canary: "x"})

    assert acme.canary in echoed.text
    assert WATCH.take() == []
    assert WATCH.responses == before + 2


@pytest.mark.parametrize(
    ("told", "found"),
    [
        ("asked by {acme}", 1),
        ("asked by {globex}", 0),
        ("about {globex_canary}", 1),
        ("nothing", 0),
    ],
)
async def test_log_lines_name_no_other_tenant_and_no_content(tenants, monkeypatch, told, found):
    acme, globex = tenants
    text = told.format(acme=acme.id, globex=globex.id, globex_canary=globex.canary)
    genuine = Catalogue.knowledge_bases

    async def talkative(self, *arguments, **named):
        logging.getLogger("tessera.test").info("listed", extra={"what": text})
        return await genuine(self, *arguments, **named)

    monkeypatch.setattr(Catalogue, "knowledge_bases", talkative)
    lines = WATCH.log_lines
    await globex.send("GET", "/knowledge-bases")

    assert len(WATCH.take()) == found
    assert WATCH.log_lines == lines + 1


def test_names_of_metrics_bear_no_marks():
    watch = Watch()
    telemetry = WatchedTelemetry(watch)
    telemetry.count("search_degraded")
    telemetry.count("searches_of_tenant-0123456789ab")
    telemetry.duration("canary-0123456789ab", 1)

    assert [leak.where for leak in watch.leaks] == ["name of a metric"] * 2
    assert watch.metrics == 3


async def test_record_in_the_wrong_partition_is_found(tenants, cloud):
    acme, globex = tenants
    await acme.create_base()

    def records():
        for table in (METADATA, IDENTITY):
            pages = cloud.dynamodb.get_paginator("scan").paginate(TableName=cloud.address_of(table))
            yield from (item for page in pages for item in page["Items"])

    assert records_out_of_place(records(), WATCH.sent) == []
    misplaced = [{**item, "pk": {"S": f"t#{globex.id}"}} for item in records() if acme.canary in str(item)]
    assert len(misplaced) >= 2
    assert len(records_out_of_place(misplaced)) == len(misplaced)


async def test_bystander_has_its_canary_in_every_store(bystander, cloud):
    tables = {}
    for table in (METADATA, IDENTITY):
        pages = cloud.dynamodb.get_paginator("scan").paginate(TableName=cloud.address_of(table))
        found = [item for page in pages for item in page["Items"] if bystander.tenant.canary in str(item)]
        tables[table.name] = {item["sk"]["S"].partition("#")[0] for item in found}

    assert {"kb", "doc"} <= tables["metadata"]
    assert {"workspace", "member", "invitation", "key", "provider"} <= tables["identity"]


def test_marks_are_found_in_whatever_holds_them():
    tenant = "tenant-0123456789ab"

    assert marks_in(f"tin_{tenant}.x {canary_of(tenant)}.md s3://t/{tenant}/kb") == {tenant, canary_of(tenant)}
    assert marks_in("eyJhbGciOiJSUzI1NiJ9.eyJ0ZW5hbnQiOiAidGVuYW50LTAxMjM0NTY3ODlhYiJ9.c2ln") == {tenant}
    assert marks_in("tenant-0123456789abc tenants canary-bird") == frozenset()
