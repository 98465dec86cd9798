"""Original files and artifacts: what every store of them must promise (K2, K4, invariants 3, 4)."""

import asyncio
from types import SimpleNamespace

import boto3
import httpx
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from shared.adapters.s3.artifacts import S3Artifacts
from shared.adapters.s3.objects import S3Objects
from shared.documents.canonical import Block, BlockKind, CanonicalText, Chunk, Page
from shared.documents.serialisation import ChunkManifest
from shared.kernel.ids import DocumentId, KnowledgeBaseId, TenantId
from shared.operations.capabilities import ARTIFACTS, UPLOADS
from tests.ingestion.memory import MemoryArtifacts, MemoryObjects

ACME, GLOBEX = TenantId("acme"), TenantId("globex")
BASE = KnowledgeBaseId("kb_" + "0" * 26)
DOCUMENT, OTHER = DocumentId("doc_" + "0" * 26), DocumentId("doc_" + "1" * 26)
TEXT = CanonicalText("Ein Satz. 😀", "txt", "T", (Page(1, 0, 11),), (Block(BlockKind.PARAGRAPH, 0, 11),))
MANIFEST = ChunkManifest((Chunk(0, 0, 9, 1, ("H",), "T"),), "a" * 64, "headings")
pytestmark = pytest.mark.real_server


class Bucket:
    """An uploads bucket, real or in memory, to which a test may put files."""

    def __init__(self, store, put):
        self.store = store
        self.put = put


@pytest.fixture(params=["memory", "s3"])
def bucket(request, cloud):
    if request.param == "memory":
        objects = MemoryObjects()
        return Bucket(objects, objects.put)
    name = cloud.address_of(UPLOADS)
    return Bucket(
        S3Objects(cloud.s3, lambda: name),
        lambda key, content: cloud.s3.put_object(Bucket=name, Key=key, Body=content)["VersionId"],
    )


@pytest.fixture(params=["memory", "s3"])
def artifacts(request, cloud):
    return MemoryArtifacts() if request.param == "memory" else S3Artifacts(cloud.s3, cloud.address_of(ARTIFACTS))


@pytest.fixture
def key(request):
    return f"t/acme/kb/{BASE}/{request.node.name}/a file+é.txt"


async def test_a_key_that_never_was_has_no_version(bucket, key):
    assert await bucket.store.head(ACME, key) is None
    assert await bucket.store.versions(ACME, key) == []
    assert await bucket.store.read(ACME, key, "00000000-0000-0000-0000-000000000000") is None


async def test_each_version_keeps_its_bytes_and_the_newest_is_current(bucket, key):
    first = bucket.put(key, b"one")
    second = bucket.put(key, b"three")

    head = await bucket.store.head(ACME, key)

    assert (head.version_id, head.size_bytes) == (second, 5)
    assert await bucket.store.read(ACME, key, first) == b"one"
    assert await bucket.store.versions(ACME, key) == [second, first]


async def test_a_file_is_put_once_and_again_only_after_it_was_deleted(bucket, key):
    await bucket.store.put_once(ACME, key, b"one")
    await bucket.store.put_once(ACME, key, b"three")

    (first,) = await bucket.store.versions(ACME, key)
    assert await bucket.store.read(ACME, key, first) == b"one"
    await bucket.store.delete(ACME, key)
    await bucket.store.put_once(ACME, key, b"three")
    assert (await bucket.store.head(ACME, key)).size_bytes == 5


async def test_of_many_who_put_at_once_one_does(bucket, key):
    await asyncio.gather(*(bucket.store.put_once(ACME, key, bytes([number])) for number in range(8)))

    assert len(await bucket.store.versions(ACME, key)) == 1


async def test_deleting_hides_and_purging_destroys(bucket, key):
    first = bucket.put(key, b"one")

    await bucket.store.delete(ACME, key)

    assert await bucket.store.head(ACME, key) is None
    assert await bucket.store.read(ACME, key, first) == b"one"
    await bucket.store.purge(ACME, key, [first])
    assert await bucket.store.read(ACME, key, first) is None
    assert await bucket.store.versions(ACME, key) == []
    await bucket.store.purge(ACME, key, [first])


async def test_the_versions_of_a_longer_key_are_another_matter(bucket, key):
    version = bucket.put(key, b"one")
    bucket.put(key + ".bak", b"two")

    assert await bucket.store.versions(ACME, key) == [version]


async def test_keys_come_in_order_page_by_page(bucket, key):
    for name in "cab":
        bucket.put(f"{key}/{name}", b"x")

    first = await bucket.store.keys(ACME, key + "/", 2)

    assert first == [f"{key}/a", f"{key}/b"]
    assert await bucket.store.keys(ACME, key + "/", 2, after=first[-1]) == [f"{key}/c"]


async def test_no_key_of_another_tenant_is_touched(cloud, key):
    store = S3Objects(cloud.s3, lambda: cloud.address_of(UPLOADS))
    for call in (store.head, store.delete, store.versions):
        with pytest.raises(ValueError, match="tenant"):
            await call(GLOBEX, key)
    with pytest.raises(ValueError, match="tenant"):
        await store.read(GLOBEX, key, "v")


async def test_a_form_takes_the_promised_bytes_and_a_link_gives_them_back(cloud, key):
    store = S3Objects(cloud.s3, lambda: cloud.address_of(UPLOADS))
    form = await store.upload_form(ACME, key, max_bytes=10, expires_in_s=60, content_type="text/plain")

    async with httpx.AsyncClient() as browser:
        too_big = await browser.post(form.url, data=dict(form.fields), files={"file": b"x" * 11})
        fits = await browser.post(form.url, data=dict(form.fields), files={"file": b"x" * 10})
        head = await store.head(ACME, key)
        assert head is not None
        link = await store.download_link(ACME, key, head.version_id, name="ä b.txt", expires_in_s=60)
        fetched = await browser.get(link)

    assert too_big.status_code == 400
    assert fits.status_code in {200, 201, 204}
    assert fetched.content == b"x" * 10, (link, fetched.text)


async def test_the_first_text_and_the_first_manifest_win(artifacts, request):
    generation = 1
    await artifacts.delete_document(ACME, BASE, DOCUMENT)
    assert await artifacts.get_text(ACME, BASE, DOCUMENT, generation) is None
    assert await artifacts.get_manifest(ACME, BASE, DOCUMENT, generation) is None

    for text, manifest in ((TEXT, MANIFEST), (CanonicalText("other", "txt"), ChunkManifest((), "b" * 64, "rows"))):
        await artifacts.put_text(ACME, BASE, DOCUMENT, generation, text)
        await artifacts.put_manifest(ACME, BASE, DOCUMENT, generation, manifest)

    assert await artifacts.get_text(ACME, BASE, DOCUMENT, generation) == TEXT
    assert await artifacts.get_manifest(ACME, BASE, DOCUMENT, generation) == MANIFEST
    assert await artifacts.get_text(GLOBEX, BASE, DOCUMENT, generation) is None


async def test_a_swept_generation_is_gone_and_its_neighbours_stay(artifacts):
    for document, generation in ((DOCUMENT, 1), (DOCUMENT, 11), (OTHER, 1)):
        await artifacts.put_text(ACME, BASE, document, generation, TEXT)

    await artifacts.delete_generation(ACME, BASE, DOCUMENT, 1)
    await artifacts.delete_generation(ACME, BASE, DOCUMENT, 1)

    assert await artifacts.get_text(ACME, BASE, DOCUMENT, 1) is None
    assert await artifacts.get_text(ACME, BASE, DOCUMENT, 11) == TEXT
    await artifacts.delete_document(ACME, BASE, DOCUMENT)
    assert await artifacts.get_text(ACME, BASE, DOCUMENT, 11) is None
    assert await artifacts.get_text(ACME, BASE, OTHER, 1) == TEXT


@pytest.fixture
def refused(cloud):
    """A client to which S3 says 403 for every object that it does not have, and for those in `refused`."""
    client = boto3.client("s3", config=Config(signature_version="s3v4"))
    refusing: set[str] = set()

    def refuse(http_response, parsed, model, context, **_):
        wanted = context["input_params"]["Key"] in refusing if "input_params" in context else False
        if parsed["ResponseMetadata"]["HTTPStatusCode"] in {404, 405} or wanted:
            http_response.status_code = 403
            parsed["Error"] = {"Code": "403", "Message": "Forbidden"}
            parsed["ResponseMetadata"]["HTTPStatusCode"] = 403

    def remember(params, context, **_):
        context["input_params"] = {"Key": params.get("Key", "")}

    for operation in ("HeadObject", "GetObject"):
        client.meta.events.register(f"provide-client-params.s3.{operation}", remember)
        client.meta.events.register(f"after-call.s3.{operation}", refuse)
    return SimpleNamespace(client=client, keys=refusing)


async def test_refusal_of_what_is_not_there_is_absence_and_of_what_is_there_an_error(cloud, refused, key):
    store = S3Objects(refused.client, lambda: cloud.address_of(UPLOADS))
    assert await store.head(ACME, key) is None
    assert await store.read(ACME, key, "00000000-0000-0000-0000-000000000000") is None

    # A longer key that begins alike is another one.
    cloud.s3.put_object(Bucket=cloud.address_of(UPLOADS), Key=f"{key}.bak", Body=b"another")
    assert await store.head(ACME, key) is None

    put = cloud.s3.put_object(Bucket=cloud.address_of(UPLOADS), Key=key, Body=b"content")
    assert await store.read(ACME, key, put["VersionId"]) == b"content"
    refused.keys.add(key)
    with pytest.raises(ClientError, match="403"):
        await store.head(ACME, key)
    with pytest.raises(ClientError, match="403"):
        await store.read(ACME, key, put["VersionId"])

    cloud.s3.delete_object(Bucket=cloud.address_of(UPLOADS), Key=key)
    assert await store.head(ACME, key) is None


async def test_artifact_that_is_not_there_is_none_also_when_it_is_refused(cloud, refused):
    store = S3Artifacts(refused.client, cloud.address_of(ARTIFACTS))

    assert await store.get_text(ACME, BASE, DocumentId("doc_" + "7" * 26), 1) is None
