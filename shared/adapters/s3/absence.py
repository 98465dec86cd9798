"""Whether S3 has a key at all: in a session of one tenant it may answer 403 to whatever it does not have.

S3 says 404 only to whoever may list the bucket. A session may list its tenant's prefix and nothing else, and requests
for objects name no prefix; so a refusal is looked into by a listing, which a session may do. What is there and refused
stays an error: it must never look like something that was deleted.
Source: S3 API Reference, GetObject and HeadObject, "Permissions".
"""

from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from shared.adapters.s3.versions import stored_versions

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_ABSENT: Final = frozenset({"404", "NoSuchKey", "NoSuchVersion", "405", "MethodNotAllowed"})
"""What S3 says about a key without a current version; 405 is its word for reading a delete marker."""
_REFUSED: Final = frozenset({"403", "AccessDenied", "Forbidden"})


def is_absent(client: "S3Client", bucket: str, key: str, error: ClientError, version_id: str | None = None) -> bool:
    """Answer whether `error` means that the key has no current version, or not the version that was asked for."""
    code = error.response.get("Error", {}).get("Code")
    if code not in _REFUSED:
        return code in _ABSENT
    if version_id is None:
        # Of all keys that begin so, a key itself comes first.
        found = client.list_objects_v2(Bucket=bucket, Prefix=key, MaxKeys=1).get("Contents", [])
        return not any(one["Key"] == key for one in found)
    found_versions = stored_versions(client, bucket, key)
    return not any((one.key, one.version_id, one.is_marker) == (key, version_id, False) for one in found_versions)
