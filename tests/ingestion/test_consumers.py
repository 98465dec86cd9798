"""The consumers as Lambda invokes them: one real event per trigger, on real stores, with guarded clients (K2)."""

import json
from pathlib import Path

import pytest

from shared.kernel.ids import KnowledgeBaseId, TenantId
from shared.knowledge.errors import KnowledgeBaseNotFoundError
from shared.knowledge.keys import document_id_of
from shared.knowledge.messages import ParseDocument
from shared.knowledge.models import DocumentStatus, Stage
from shared.operations.capabilities import PARSE_QUEUE, UPLOADS
from shared.operations.registry import load_operation
from shared.tenancy.plans import STARTER
from tests.ingestion.functions import services_of_all

EVENTS = Path(__file__).resolve().parents[2] / "events"
ACME = TenantId("acme")
BASE = KnowledgeBaseId("kb_00000000000000000000000001")
KEY = f"t/{ACME}/kb/{BASE}/straße/notice terms.md"
DOCUMENT = document_id_of(KEY)
CONSUMERS = [
    "fetch_url_source",
    "parse_document",
    "index_chunks",
    "publish_document",
    "sweep_generations",
    "reindex_knowledge_base",
]
pytestmark = [pytest.mark.real_server, pytest.mark.slow]


@pytest.fixture(scope="module")
def services(cloud):
    return services_of_all(cloud)


@pytest.fixture
async def _base(services, functions):
    try:
        await services.catalogue.knowledge_base(ACME, BASE)
    except KnowledgeBaseNotFoundError:
        await services.knowledge_bases.create(ACME, "Terms", STARTER, kb_id=BASE)


async def invoke(cloud, functions, operation_id, event):
    return await functions.invoke(load_operation("ingestion", operation_id), json.loads((EVENTS / event).read_text()))


async def deliver_all(functions):
    """Let what was sent on under its tenant's name be looked at."""
    while await functions.deliver(load_operation("ingestion", "accept_upload")):
        pass


@pytest.mark.usefixtures("_base")
async def test_accept_upload_starts_what_the_bucket_speaks_of_and_ends_what_it_lost(cloud, functions, services):
    bucket = cloud.address_of(UPLOADS)
    cloud.s3.put_object(Bucket=bucket, Key=KEY, Body=b"The notice period is 30 days.\n")

    created = await invoke(cloud, functions, "accept_upload", "s3/object_created.json")

    assert created == {"batchItemFailures": []}
    await deliver_all(functions)
    document = await services.catalogue.document(ACME, BASE, DOCUMENT)
    assert (document.status, document.stage) == (DocumentStatus.PROCESSING, Stage.ACCEPTED)
    bodies = cloud.sqs.receive_message(QueueUrl=cloud.address_of(PARSE_QUEUE), MaxNumberOfMessages=10)["Messages"]
    assert DOCUMENT in {ParseDocument.model_validate_json(body["Body"]).document_id for body in bodies}
    # The marker is set and taken away again before any of the two events is looked at: nothing happened.
    marker = cloud.s3.delete_object(Bucket=bucket, Key=KEY)["VersionId"]
    cloud.s3.delete_object(Bucket=bucket, Key=KEY, VersionId=marker)
    for event in ("s3/object_removed.json", "s3/delete_marker_removed.json", "s3/test_event.json"):
        assert await invoke(cloud, functions, "accept_upload", event) == {"batchItemFailures": []}
    await deliver_all(functions)
    assert (await services.catalogue.document(ACME, BASE, DOCUMENT)).status is DocumentStatus.PROCESSING
    cloud.s3.delete_object(Bucket=bucket, Key=KEY)
    await invoke(cloud, functions, "accept_upload", "s3/object_removed.json")
    await deliver_all(functions)
    assert (await services.ingestion.adapters.records.document(ACME, BASE, DOCUMENT)).is_deleted


@pytest.mark.usefixtures("_base")
async def test_a_message_that_cannot_be_read_fails_alone(cloud, functions):
    answer = await invoke(cloud, functions, "accept_upload", "s3/two_of_which_one_is_garbage.json")

    assert answer == {"batchItemFailures": [{"itemIdentifier": "message-0"}]}


@pytest.mark.parametrize("operation_id", CONSUMERS)
@pytest.mark.usefixtures("_base")
async def test_a_message_about_what_is_long_gone_is_done_at_once(cloud, functions, operation_id):
    assert await invoke(cloud, functions, operation_id, f"sqs/{operation_id}.json") == {"batchItemFailures": []}


async def test_recover_stuck_documents_says_what_it_found(cloud, functions):
    answer = await invoke(cloud, functions, "recover_stuck_documents", "schedule/every_minute.json")

    assert set(answer) == {"found", "moved"}
