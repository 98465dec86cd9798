"""A web address becomes a document: the real consumer on real stores, a real site on loopback (K2)."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from uuid import uuid4

import pytest

from shared.kernel.ids import TenantId, UploadId
from shared.knowledge.errors import NothingToRetryError
from shared.knowledge.models import DocumentStatus, Stage
from shared.knowledge.url_sources import UrlRequest
from shared.operations.capabilities import FETCH_POLICY, FETCH_QUEUE, UPLOADS
from shared.operations.fetch_policy import FetchPolicy
from shared.operations.registry import load_operation
from shared.tenancy.plans import STARTER
from tests.ingestion.functions import Functions, services_of_all
from tests.web_server import Site, answer

HTML = b"<!doctype html><html><title>Terms</title><body><p>The notice period is 30 days.</p></body></html>"
POLICY = FetchPolicy(contact="https://acme.example/robots", reaches_loopback=True)
FETCH = load_operation("ingestion", "fetch_url_source")
pytestmark = [pytest.mark.real_server, pytest.mark.slow]


@pytest.fixture(scope="module")
def cloud_of_sites(cloud):
    return replace(cloud, variables={**cloud.variables, FETCH_POLICY.resource.variable: POLICY.model_dump_json()})


@pytest.fixture(scope="module")
def functions(cloud_of_sites):
    return Functions(cloud_of_sites)


@pytest.fixture(scope="module")
def services(cloud_of_sites):
    return services_of_all(cloud_of_sites)


@pytest.fixture
def site() -> Iterator[Site]:
    started = Site()
    yield started
    started.stop()


@pytest.fixture
async def base(services):
    """A base of a tenant of its own."""
    return await services.knowledge_bases.create(TenantId(f"web-{uuid4().hex[:8]}"), "Terms", STARTER)


@pytest.fixture
def add(services, base):
    async def added(url, upload_id="upload_1"):
        return await services.web.url_sources.add(
            base.tenant, base.kb_id, UrlRequest(url, "terms"), STARTER, UploadId(upload_id)
        )

    return added


@pytest.fixture
def look(services):
    async def looked(document):
        return await services.catalogue.document(document.tenant, document.kb_id, document.document_id)

    return looked


def versions_of(cloud, document):
    listed = cloud.s3.list_object_versions(Bucket=cloud.address_of(UPLOADS), Prefix=document.key)
    return [version["VersionId"] for version in listed.get("Versions", [])]


async def test_page_is_fetched_served_and_names_its_address(cloud, functions, site, add, look):
    site.pages["/terms"] = answer(HTML, "200 OK", "content-type: text/html")
    document = await add(site.url("/terms"))

    await functions.work_off()

    found = await look(document)
    assert (found.status, found.live.format, found.live.title) == (DocumentStatus.READY, "html", "Terms")
    assert found.source_url == site.url("/terms")
    assert found.size_bytes == len(HTML)
    assert site.paths == ["/robots.txt", "/terms"]
    assert all(b"user-agent: Tessera (+https://acme.example/robots)\r\n" in request for request in site.requests)
    assert len(versions_of(cloud, document)) == 1


async def test_doubled_message_fetches_and_puts_nothing_more(cloud, functions, site, add, look):
    site.pages["/terms"] = [answer(b"The notice period is 31 days."), answer(b"Something else.")]
    document = await add(site.url("/terms"))
    await add(site.url("/terms"))  # the same request again sends the message again

    await functions.work_off()

    assert (await look(document)).status is DocumentStatus.READY
    assert len(versions_of(cloud, document)) == 1
    assert site.paths.count("/terms") == 1


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        (answer(b"", "404 Not Found"), "url_not_found"),
        (answer(b"", "403 Forbidden"), "url_refused"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\nx", "url_too_large"),
        (answer(b"", "302 Found", "location: http://169.254.169.254/latest/meta-data/"), "url_forbidden"),
        (answer(b"", "302 Found", "location: /terms"), "url_too_many_redirects"),
        (answer(b"", "302 Found", "location: /private"), "url_disallowed_by_robots"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_failure_that_will_not_pass_rejects_at_once(cloud, functions, site, add, look, page, reason):
    site.pages["/robots.txt"] = answer(b"User-agent: Tessera\nDisallow: /private")
    site.pages["/terms"] = page
    document = await add(site.url("/terms"))

    await functions.work_off()

    found = await look(document)
    assert (found.status, found.reason, found.attempt) == (DocumentStatus.REJECTED, reason, 1)
    assert found.reason_detail
    assert "169.254" not in found.reason_detail
    assert versions_of(cloud, document) == []


async def test_passing_failure_is_tried_three_times_and_then_retried_on_demand(
    functions, services, cloud, site, add, look
):
    site.pages["/terms"] = answer(b"", "503 Unavailable")
    document = await add(site.url("/terms"))
    for _ in range(3):
        await functions.work_off()
        await asyncio.sleep(2.2)  # the emulated deployment rests 1 and then 2 seconds

    failed = await look(document)
    again = await services.documents.retry(document.tenant, document.kb_id, document.document_id, STARTER)
    site.pages["/terms"] = answer(b"The notice period is 32 days.")
    await functions.work_off()

    assert (failed.status, failed.stage, failed.reason, failed.attempt) == (
        DocumentStatus.FAILED,
        Stage.FETCHING,
        "url_unreachable",
        3,
    )
    assert "503" in failed.reason_detail
    assert site.paths.count("/terms") == 4
    assert (again.status, again.task_id != failed.task_id) == (DocumentStatus.PROCESSING, True)
    assert (await look(document)).status is DocumentStatus.READY
    with pytest.raises(NothingToRetryError):
        await services.documents.retry(document.tenant, document.kb_id, document.document_id, STARTER)


async def test_what_was_deleted_meanwhile_is_not_fetched(functions, services, site, add):
    site.pages["/terms"] = answer(HTML)
    document = await add(site.url("/terms"))
    await services.documents.delete(document.tenant, document.kb_id, document.document_id)

    await functions.work_off()

    assert site.connections == 0


async def test_address_that_became_forbidden_meanwhile_is_not_fetched(cloud, functions, site, add, look):
    """The rules are those of the deployment that fetches, not of the one that promised."""
    document = await add(site.url("/terms"))
    stricter = Functions(cloud)

    while await stricter.deliver(FETCH):
        pass

    found = await look(document)
    assert (found.status, found.reason) == (DocumentStatus.REJECTED, "url_forbidden")
    assert site.connections == 0


async def test_poison_ends_in_the_dead_letters_of_its_own_queue(cloud, functions, add, look):
    document = await add("http://127.0.0.1:1/")
    dead: list[str] = []
    for _ in range(8):
        await functions.work_off()
        received = cloud.sqs.receive_message(
            QueueUrl=cloud.dead_letters[FETCH_QUEUE.name], MaxNumberOfMessages=10, WaitTimeSeconds=2
        )
        dead += [message["Body"] for message in received.get("Messages", [])]
        if any(document.document_id in body for body in dead):
            break

    assert (await look(document)).status is DocumentStatus.FAILED
    assert any(document.document_id in body for body in dead)
