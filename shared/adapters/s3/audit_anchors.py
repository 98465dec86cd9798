"""Anchors of audit logs in the archive bucket: each is an empty object whose key says place and hash.

    t/<tenant>/anchors/<seq, 20 digits>-<hash, 64 hexadecimal digits>

A listing of versions then tells all, also behind delete markers, which nothing keeps anybody from adding; the versions
themselves are locked where the bucket locks.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from shared.audit.chain import Link
from shared.kernel.ids import TenantId

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_SEQ_DIGITS: Final = 20
_NAME: Final = re.compile(r"(\d{20})-([0-9a-f]{64})")
_WRITTEN_ALREADY: Final = frozenset({409, 412})
"""412: it is there. 409: somebody writes it at this moment, and then it is."""


class S3Anchors:
    """Implements `AnchorStore` and `Anchors`."""

    def __init__(self, client: "S3Client", bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    async def anchor(self, tenant: TenantId, head: Link) -> None:
        await asyncio.to_thread(self._put, f"{_prefix(tenant)}{head.seq:0{_SEQ_DIGITS}}-{head.hash.hex()}")

    def _put(self, key: str) -> None:
        try:
            self._client.put_object(Bucket=self._bucket, Key=key, Body=b"", IfNoneMatch="*")
        except ClientError as error:
            if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") not in _WRITTEN_ALREADY:
                raise

    async def anchors_after(self, tenant: TenantId, seq: int) -> AsyncIterator[Link]:
        prefix = _prefix(tenant)
        # A key behind all anchors of `seq` itself, and before those of the next number.
        start: dict[str, Any] = {"KeyMarker": f"{prefix}{seq:0{_SEQ_DIGITS}}-~"}
        before = None
        while start:
            page = await asyncio.to_thread(
                self._client.list_object_versions, Bucket=self._bucket, Prefix=prefix, **start
            )
            for version in page.get("Versions", []):
                found = _NAME.fullmatch(version["Key"].removeprefix(prefix))
                if found is not None and version["Key"] != before:
                    before = version["Key"]
                    yield Link(int(found[1]), bytes.fromhex(found[2]))
            start = _next_page(page)


def _next_page(page: Any) -> dict[str, Any]:
    if not page.get("IsTruncated"):
        return {}
    following = {"KeyMarker": page["NextKeyMarker"]}
    return following | ({"VersionIdMarker": page["NextVersionIdMarker"]} if "NextVersionIdMarker" in page else {})


def _prefix(tenant: TenantId) -> str:
    return f"t/{tenant}/anchors/"
