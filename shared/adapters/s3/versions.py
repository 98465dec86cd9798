"""Every version of what a prefix holds in a versioned bucket."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.knowledge.errors import RetryLaterError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@dataclass(frozen=True, slots=True)
class StoredVersion:
    """One version of one key; a delete marker has no content."""

    key: str
    version_id: str
    is_marker: bool


def stored_versions(client: "S3Client", bucket: str, prefix: str) -> Iterator[StoredVersion]:
    """Yield all versions and delete markers under `prefix`, per key newest first."""
    for page in client.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix):
        for version in page.get("Versions", []):
            yield StoredVersion(version["Key"], version["VersionId"], is_marker=False)
        for marker in page.get("DeleteMarkers", []):
            yield StoredVersion(marker["Key"], marker["VersionId"], is_marker=True)


def destroy_versions(client: "S3Client", bucket: str, versions: Sequence[StoredVersion]) -> None:
    """Destroy `versions` for good, one by one: a role names the action on versions apart from the one on objects."""
    for version in versions:
        answer = client.delete_object(Bucket=bucket, Key=version.key, VersionId=version.version_id)
        if answer["ResponseMetadata"]["HTTPStatusCode"] >= 300:
            raise RetryLaterError("A version was not destroyed. The sweep is repeated.", retry_after_s=60)
