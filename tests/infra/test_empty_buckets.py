"""What `empty_buckets` destroys, on the AWS emulator."""

from collections.abc import Iterator

import pytest

from infra_cdk.empty_buckets import empty
from localstack import aws, emulator
from tests.own_folders import own_server

BUCKET = "samples"


@pytest.fixture
def endpoint() -> Iterator[str]:
    with own_server("emulator", lambda folder: emulator.start(folder, 0)) as running:
        yield running.endpoint


@pytest.mark.real_server
@pytest.mark.slow
def test_every_version_and_delete_marker_is_destroyed(endpoint: str) -> None:
    s3 = aws.s3(endpoint)
    s3.create_bucket(Bucket=BUCKET)
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    for body in (b"first", b"second"):
        s3.put_object(Bucket=BUCKET, Key="a.txt", Body=body)
    s3.put_object(Bucket=BUCKET, Key="b.txt", Body=b"other")
    s3.delete_object(Bucket=BUCKET, Key="b.txt")

    destroyed = empty(s3, BUCKET)

    left = s3.list_object_versions(Bucket=BUCKET)
    assert (destroyed, left.get("Versions", []), left.get("DeleteMarkers", [])) == (4, [], [])
