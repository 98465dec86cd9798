"""A file dropped into the bucket is served, replaced and gone: through every real part, in this process (K2, K12)."""

import pytest

from shared.kernel.ids import TenantId
from shared.knowledge.keys import document_id_of
from shared.knowledge.models import DocumentStatus, Stage
from shared.operations.capabilities import UPLOADS
from shared.tenancy.plans import STARTER
from tests.ingestion.functions import services_of_all

ACME = TenantId("acme")
pytestmark = [pytest.mark.real_server, pytest.mark.slow]


@pytest.fixture(scope="module")
def services(cloud):
    return services_of_all(cloud)


async def test_a_dropped_file_is_served_then_replaced_then_gone(cloud, functions, services):
    base = await services.knowledge_bases.create(ACME, "Terms", STARTER)
    key = f"t/{ACME}/kb/{base.kb_id}/contracts/notice terms.md"
    document_id = document_id_of(key)
    live = services.ingestion.adapters.live_documents
    index = services.ingestion.adapters.chunk_index
    scope = (await live.scope_of(ACME, base.kb_id)).scope

    cloud.s3.put_object(Bucket=cloud.address_of(UPLOADS), Key=key, Body=b"# Notice\n\nThe notice period is 30 days.\n")
    await functions.work_off()

    first = await services.catalogue.document(ACME, base.kb_id, document_id)
    assert first.status is DocumentStatus.READY
    assert dict(await live.live_generations(ACME, base.kb_id, 1, [document_id])) == {document_id: 1}
    hits = await index.search_keyword(ACME, scope, "notice period", 5)
    assert [hit.generation for hit in hits] == [1]

    cloud.s3.put_object(Bucket=cloud.address_of(UPLOADS), Key=key, Body=b"# Notice\n\nThe notice period is 60 days.\n")
    await functions.work_off()

    assert dict(await live.live_generations(ACME, base.kb_id, 1, [document_id])) == {document_id: 2}

    await services.documents.delete(ACME, base.kb_id, document_id)

    assert dict(await live.live_generations(ACME, base.kb_id, 1, [document_id])) == {}
    await functions.work_off()
    assert await index.search_keyword(ACME, scope, "notice period", 5) == []
    buried = await services.ingestion.adapters.records.document(ACME, base.kb_id, document_id)
    assert (buried.status, buried.stage) == (DocumentStatus.DELETED, Stage.DONE)
    assert await services.ingestion.adapters.objects.versions(ACME, key) == []
