"""What Tessera does by itself, and what administrators make it do: told of like everything else (T7)."""

import json
import secrets
from types import SimpleNamespace

import pytest

from shared.audit.events import EventKind
from shared.composition.entry import build_handler
from shared.kernel.ids import TenantId
from shared.knowledge.keys import document_id_of
from shared.operations.capabilities import UPLOADS
from shared.operations.registry import load_operation
from shared.operations.tenants import within
from shared.tenancy.models import OPERATORS
from shared.tenancy.plans import STARTER
from tests.ingestion.functions import services_of_all

TEXT = b"# Notice\n\nThe notice period is 30 days.\n"


@pytest.fixture
def tenant():
    return TenantId(f"dropped-{secrets.token_hex(6)}")


@pytest.fixture
def services(cloud):
    return services_of_all(cloud)


async def test_a_dropped_file_is_told_of_when_it_is_taken_in_when_it_is_live_and_when_it_is_gone(
    cloud, told, functions_of_all, services, tenant
):
    with within(tenant):
        base = await services.knowledge_bases.create(tenant, "Terms", STARTER)
    key = f"t/{tenant}/kb/{base.kb_id}/terms.md"
    path = f"knowledge-bases/{base.kb_id}/documents/{document_id_of(key)}"
    bucket = cloud.address_of(UPLOADS)
    before = told.all(tenant)

    cloud.s3.put_object(Bucket=bucket, Key=key, Body=TEXT)
    await functions_of_all.work_off()
    first = told.since(tenant, before)
    cloud.s3.put_object(Bucket=bucket, Key=key, Body=TEXT.replace(b"30", b"60"))
    await functions_of_all.work_off()
    cloud.s3.delete_object(Bucket=bucket, Key=key)
    await functions_of_all.work_off()

    events = told.since(tenant, before)
    assert [event.operation for event in first] == ["accept_upload", "publish_document"]
    assert [event.operation for event in events] == [
        "accept_upload", "publish_document", "accept_upload", "publish_document", "accept_upload",
    ]  # fmt: skip
    assert {(event.actor, event.kind, event.resource) for event in events} == {("system", EventKind.WRITE, path)}
    assert all(event.request_id for event in events)
    assert not [event for event in events if "30" in event.resource or "notice" in event.resource]


async def test_a_file_that_is_refused_is_told_of(cloud, told, functions_of_all, services, tenant):
    with within(tenant):
        base = await services.knowledge_bases.create(tenant, "Terms", STARTER)
    before = told.all(tenant)

    cloud.s3.put_object(Bucket=cloud.address_of(UPLOADS), Key=f"t/{tenant}/kb/{base.kb_id}/a.pdf", Body=b"%PDF-nothing")
    await functions_of_all.work_off()

    assert [event.operation for event in told.since(tenant, before)] == ["accept_upload", "parse_document"]


def test_a_command_is_told_of_as_an_administrators_act(cloud, told):
    handle = build_handler(load_operation("tenancy", "appoint_operator"), cloud.settings)
    before = told.all(OPERATORS)
    invocation = f"invoked-{secrets.token_hex(6)}"

    answer = handle(
        {"email": f"{secrets.token_hex(6)}@people.example"}, SimpleNamespace(aws_request_id=invocation)
    )  # fmt: skip

    (event,) = [event for event in told.since(OPERATORS, before) if event.request_id == invocation]
    assert (event.actor, event.role, event.operation) == ("administrator", None, "appoint_operator")
    assert event.resource.startswith("invitations/inv_")
    assert "people.example" not in json.dumps(event.resource)
    assert answer["token"] not in event.resource
