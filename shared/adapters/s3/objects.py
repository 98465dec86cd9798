"""The uploads bucket: versions of original files, and links with which a browser sends and fetches them (K2)."""

import asyncio
import base64
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from botocore.exceptions import ClientError

from shared.adapters.s3.absence import is_absent
from shared.adapters.s3.keys import own_key
from shared.adapters.s3.versions import StoredVersion, destroy_versions, stored_versions
from shared.kernel.ids import TenantId
from shared.kernel.tenants import admitted
from shared.knowledge.models import ObjectVersion
from shared.knowledge.ports import UploadForm

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class S3Objects:
    """Implements `ObjectStore`, `PromisedObjects` and `UploadLinks`."""

    def __init__(self, client: "S3Client", bucket_name: Callable[[], str]) -> None:
        """`bucket_name` is asked when something is: who cancels documents holds this store and is told no bucket."""
        self._client = client
        self._bucket_name = bucket_name

    @property
    def _bucket(self) -> str:
        return self._bucket_name()

    async def head(self, tenant: TenantId, key: str) -> ObjectVersion | None:
        try:
            found = await asyncio.to_thread(self._client.head_object, Bucket=self._bucket, Key=own_key(tenant, key))
        except ClientError as error:
            if await asyncio.to_thread(is_absent, self._client, self._bucket, key, error):
                return None
            raise
        return ObjectVersion(found["VersionId"], found["ETag"].strip('"'), found["ContentLength"])

    async def read(self, tenant: TenantId, key: str, version_id: str) -> bytes | None:
        def fetch() -> bytes:
            answer = self._client.get_object(Bucket=self._bucket, Key=own_key(tenant, key), VersionId=version_id)
            with answer["Body"] as body:
                return body.read()

        try:
            return await asyncio.to_thread(fetch)
        except ClientError as error:
            if await asyncio.to_thread(is_absent, self._client, self._bucket, key, error, version_id):
                return None
            raise

    async def put_once(self, tenant: TenantId, key: str, content: bytes) -> None:
        def put() -> None:
            try:
                self._client.put_object(Bucket=self._bucket, Key=own_key(tenant, key), Body=content, IfNoneMatch="*")
            except ClientError as error:
                # 412: it is there. 409: somebody writes it at this moment, and then it is.
                if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") not in {409, 412}:
                    raise

        await asyncio.to_thread(put)

    async def delete(self, tenant: TenantId, key: str) -> None:
        await asyncio.to_thread(self._client.delete_object, Bucket=self._bucket, Key=own_key(tenant, key))

    async def versions(self, tenant: TenantId, key: str) -> list[str]:
        def listed() -> list[str]:
            # A prefix listing also finds longer keys.
            found = stored_versions(self._client, self._bucket, own_key(tenant, key))
            return [version.version_id for version in found if version.key == key and not version.is_marker]

        return await asyncio.to_thread(listed)

    async def purge(self, tenant: TenantId, key: str, version_ids: Sequence[str]) -> None:
        own_key(tenant, key)
        doomed = [StoredVersion(key, version_id, is_marker=False) for version_id in version_ids]
        await asyncio.to_thread(destroy_versions, self._client, self._bucket, doomed)

    async def keys(self, tenant: TenantId, prefix: str, limit: int, after: str = "") -> list[str]:
        arguments: dict[str, Any] = {"StartAfter": after} if after else {}
        answer = await asyncio.to_thread(
            self._client.list_objects_v2,
            Bucket=self._bucket,
            Prefix=own_key(tenant, prefix),
            MaxKeys=limit,
            **arguments,
        )
        return [found["Key"] for found in answer.get("Contents", [])]

    async def upload_form(
        self,
        tenant: TenantId,
        key: str,
        *,
        max_bytes: int,
        expires_in_s: int,
        content_type: str | None = None,
        sha256: str | None = None,
    ) -> UploadForm:
        fields: dict[str, str] = {}
        conditions: list[Any] = [["content-length-range", 1, max_bytes]]
        if content_type is not None:
            fields["Content-Type"] = content_type
        if sha256 is not None:
            # S3 then refuses other bytes by itself.
            fields["x-amz-checksum-algorithm"] = "SHA256"
            fields["x-amz-checksum-sha256"] = base64.b64encode(bytes.fromhex(sha256)).decode()
        conditions.extend({name: value} for name, value in fields.items())
        form = await asyncio.to_thread(
            self._client.generate_presigned_post,
            self._bucket,
            # A form is signed without its key, so the clients' guard does not see whose it is.
            own_key(admitted(tenant), key),
            Fields=dict(fields),
            Conditions=conditions,
            ExpiresIn=expires_in_s,
        )
        return UploadForm(form["url"], form["fields"])

    async def download_link(self, tenant: TenantId, key: str, version_id: str, *, name: str, expires_in_s: int) -> str:
        return await asyncio.to_thread(
            self._client.generate_presigned_url,
            "get_object",
            Params={
                "Bucket": self._bucket,
                "Key": own_key(tenant, key),
                "VersionId": version_id,
                # Never shown in place: an uploaded page must not run on our address.
                "ResponseContentDisposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}",
            },
            ExpiresIn=expires_in_s,
        )
