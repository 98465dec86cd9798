"""The watch over answers, logs, metrics and records finds what it is there for, wherever a leak is planted (T5)."""

import logging

import pytest

from shared.identity.permissions import Role
from shared.knowledge.catalogue import Catalogue
from shared.telemetry.silent import SilentTelemetry
from tests.api.tenants import Tenant, new_tenant_name
from tests.canaries import WATCH, canary_of, marks_in


@pytest.fixture
def tenants(app, cloud, issuer, people, new_client):
    return [Tenant(new_tenant_name(), new_client(), issuer, cloud, people) for _ in range(2)]


async def test_answer_with_the_name_of_anothers_base_is_found(tenants, monkeypatch):
    acme, globex = tenants
    base = await acme.create_base()
    await globex.create_base()
    assert WATCH.take() == []
    genuine = Catalogue.knowledge_bases
    remembered: list[object] = []

    async def forgetful(self, *arguments, **named):
        """Remember one list for everybody."""
        if not remembered:
            remembered.append(await genuine(self, *arguments, **named))
        return remembered[0]

    monkeypatch.setattr(Catalogue, "knowledge_bases", forgetful)
    await acme.send("GET", "/knowledge-bases", Role.OWNER)
    assert WATCH.take() == []
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


def test_content_in_lines_outside_of_requests_is_found():
    for name in ("tessera.messages", "somebody.else"):
        logging.getLogger(name).warning("message of tenant-0123456789ab failed: canary-0123456789ab")
        logging.getLogger(name).warning("message of tenant-0123456789ab failed")

    (leak,) = WATCH.take()
    assert leak.where == "content in the log of tessera.messages"
    assert leak.marks == {"canary-0123456789ab"}


def test_names_of_metrics_bear_no_marks():
    measured = WATCH.metrics
    telemetry = SilentTelemetry()
    telemetry.count("search_degraded")
    telemetry.count("searches_of_tenant-0123456789ab")
    telemetry.duration("canary-0123456789ab", 1)

    assert [leak.where for leak in WATCH.take()] == ["name of a metric"] * 2
    assert WATCH.metrics == measured + 3


def test_marks_are_found_in_whatever_holds_them():
    tenant = "tenant-0123456789ab"

    assert marks_in(f"tin_{tenant}.x {canary_of(tenant)}.md s3://t/{tenant}/kb") == {tenant, canary_of(tenant)}
    assert marks_in("eyJhbGciOiJSUzI1NiJ9.eyJ0ZW5hbnQiOiAidGVuYW50LTAxMjM0NTY3ODlhYiJ9.c2ln") == {tenant}
    assert marks_in("tenant-0123456789abc tenants canary-bird") == frozenset()
