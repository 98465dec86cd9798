"""Exported parts of audit logs in the archive bucket: `t/<tenant>/exports/<name>`."""

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from shared.adapters.s3.keys import own_key
from shared.kernel.ids import TenantId

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_WRITTEN_ALREADY: Final = frozenset({409, 412})
"""412: it is there. 409: somebody writes it at this moment, and then it is."""


class S3AuditExports:
    """Implements `ExportStore`."""

    def __init__(self, client: "S3Client", bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    async def put(self, tenant: TenantId, name: str, content: bytes) -> bytes:
        return await asyncio.to_thread(self._put, _key(tenant, name), content)

    def _put(self, key: str, content: bytes) -> bytes:
        try:
            self._client.put_object(
                Bucket=self._bucket, Key=key, Body=content, ContentType="text/plain; charset=us-ascii", IfNoneMatch="*"
            )
        except ClientError as error:
            if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") not in _WRITTEN_ALREADY:
                raise
            with self._client.get_object(Bucket=self._bucket, Key=key)["Body"] as kept:
                return kept.read()
        return content

    async def link(self, tenant: TenantId, name: str, lifetime: timedelta) -> str:
        shown = f"audit-log-{name.rpartition('/')[2]}"
        return await asyncio.to_thread(
            self._client.generate_presigned_url,
            "get_object",
            Params={
                "Bucket": self._bucket,
                "Key": _key(tenant, name),
                "ResponseContentDisposition": f'attachment; filename="{shown}"',
            },
            ExpiresIn=int(lifetime.total_seconds()),
        )


def _key(tenant: TenantId, name: str) -> str:
    return own_key(tenant, f"t/{tenant}/exports/{name}")
