"""Canonical texts and chunk manifests in the artifacts bucket, written once per generation (K4, invariants 3, 5)."""

import asyncio
import gzip
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from shared.adapters.s3.absence import is_absent
from shared.adapters.s3.keys import document_prefix, generation_prefix, own_key
from shared.adapters.s3.versions import destroy_versions, stored_versions
from shared.documents.canonical import CanonicalText
from shared.documents.serialisation import (
    ChunkManifest,
    manifest_from_json,
    manifest_to_json,
    text_from_json,
    text_to_json,
)
from shared.kernel.ids import DocumentId, Generation, KnowledgeBaseId, TenantId

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_TEXT_NAME: Final = "text.json.gz"
_MANIFEST_NAME: Final = "manifest.json.gz"
_LEVEL: Final = 1
"""A third of the size for a tenth of the time: texts are read on the way to every answer."""


class S3Artifacts:
    """Implements `ArtifactStore`."""

    def __init__(self, client: "S3Client", bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    async def put_text(
        self,
        tenant: TenantId,
        kb_id: KnowledgeBaseId,
        document_id: DocumentId,
        generation: Generation,
        text: CanonicalText,
    ) -> None:
        key = generation_prefix(tenant, kb_id, document_id, generation) + _TEXT_NAME
        await asyncio.to_thread(lambda: self._write_once(tenant, key, text_to_json(text)))

    async def get_text(
        self, tenant: TenantId, kb_id: KnowledgeBaseId, document_id: DocumentId, generation: Generation
    ) -> CanonicalText | None:
        def load() -> CanonicalText | None:
            key = generation_prefix(tenant, kb_id, document_id, generation) + _TEXT_NAME
            content = self._fetch(tenant, key)
            return None if content is None else text_from_json(content)

        return await asyncio.to_thread(load)

    async def put_manifest(
        self,
        tenant: TenantId,
        kb_id: KnowledgeBaseId,
        document_id: DocumentId,
        generation: Generation,
        manifest: ChunkManifest,
    ) -> None:
        key = generation_prefix(tenant, kb_id, document_id, generation) + _MANIFEST_NAME
        await asyncio.to_thread(lambda: self._write_once(tenant, key, manifest_to_json(manifest)))

    async def get_manifest(
        self, tenant: TenantId, kb_id: KnowledgeBaseId, document_id: DocumentId, generation: Generation
    ) -> ChunkManifest | None:
        def load() -> ChunkManifest | None:
            key = generation_prefix(tenant, kb_id, document_id, generation) + _MANIFEST_NAME
            content = self._fetch(tenant, key)
            return None if content is None else manifest_from_json(content)

        return await asyncio.to_thread(load)

    async def delete_generation(
        self, tenant: TenantId, kb_id: KnowledgeBaseId, document_id: DocumentId, generation: Generation
    ) -> None:
        await self._destroy(tenant, generation_prefix(tenant, kb_id, document_id, generation))

    async def delete_document(self, tenant: TenantId, kb_id: KnowledgeBaseId, document_id: DocumentId) -> None:
        await self._destroy(tenant, document_prefix(tenant, kb_id, document_id))

    async def _destroy(self, tenant: TenantId, prefix: str) -> None:
        def destroy() -> None:
            doomed = list(stored_versions(self._client, self._bucket, own_key(tenant, prefix)))
            destroy_versions(self._client, self._bucket, doomed)

        await asyncio.to_thread(destroy)

    def _write_once(self, tenant: TenantId, key: str, content: bytes) -> None:
        packed = gzip.compress(content, _LEVEL, mtime=0)
        try:
            self._client.put_object(Bucket=self._bucket, Key=own_key(tenant, key), Body=packed, IfNoneMatch="*")
        except ClientError as error:
            # 412: it is there. 409: somebody writes it at this moment, and then it is.
            if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") not in {409, 412}:
                raise

    def _fetch(self, tenant: TenantId, key: str) -> bytes | None:
        try:
            answer = self._client.get_object(Bucket=self._bucket, Key=own_key(tenant, key))
        except ClientError as error:
            if is_absent(self._client, self._bucket, key, error):
                return None
            raise
        with answer["Body"] as body:
            return gzip.decompress(body.read())
