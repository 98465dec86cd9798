"""What `empty_buckets` destroys, on the AWS emulator."""

import io
import os
import sys
from collections.abc import Iterator

import pytest

from infra_cdk.empty_buckets import bucket_names, empty, main
from infra_cdk.settings import Environment
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


@pytest.fixture
def stranger(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever runs the tests may be signed in to AWS; nothing of that is left."""
    for variable in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(variable)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "no-credentials-here")
    monkeypatch.setenv("AWS_CONFIG_FILE", "no-settings-here")
    monkeypatch.setattr(sys, "argv", ["empty_buckets", "dev"])


@pytest.mark.usefixtures("stranger")
@pytest.mark.real_server
@pytest.mark.slow
def test_buckets_are_looked_for_where_they_were_deployed(
    endpoint: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    s3 = aws.s3(endpoint)
    names = bucket_names(Environment.DEV, "000000000000", "eu-central-1")
    for name in names:
        s3.create_bucket(Bucket=name)
        s3.put_object(Bucket=name, Key="a.txt", Body=b"first")
    own = {"AWS_ENDPOINT_URL": endpoint, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    for variable, value in {**own, "AWS_DEFAULT_REGION": "us-west-2"}.items():
        monkeypatch.setenv(variable, value)
    monkeypatch.setattr(sys, "stdin", io.StringIO("dev\n"))

    main()

    told = capsys.readouterr().out
    assert [name for name in names if f"{name}: 1 versions destroyed" not in told] == []


@pytest.mark.usefixtures("stranger")
def test_whoever_is_not_signed_in_is_told_what_to_do() -> None:
    with pytest.raises(SystemExit, match="→ Sign in"):
        main()
