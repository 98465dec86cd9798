"""Destroy every object of an environment that does not keep its data, so that its buckets can be deleted.

`python -m infra_cdk.empty_buckets dev`, before `cdk destroy`: CloudFormation deletes empty buckets only. It asks for
the environment's name again, and refuses environments whose settings keep data.
"""

import sys
from typing import TYPE_CHECKING, Final

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from infra_cdk.naming import resource_name
from infra_cdk.settings import Environment, SettingsError, known_values
from shared.operations.capabilities import RESOURCES, Bucket

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

BATCH: Final = 1_000
"""What S3 deletes in one request."""


def main() -> None:
    """Empty the buckets of the environment named on the command line, after asking for its name once more."""
    try:
        environment = emptied(sys.argv[1] if len(sys.argv) > 1 else "")
        _empty_all(environment, str(known_values(environment)["region"]))
    except SettingsError as error:
        sys.exit(f"✗ {error}")
    except (BotoCoreError, ClientError) as error:
        sys.exit(
            f"✗ {error}\n"
            "  → Sign in to the account of the deployment; another region than the usual one stands in deployments/."
        )


def _empty_all(environment: Environment, region: str) -> None:
    session = boto3.Session(region_name=region)
    account = session.client("sts").get_caller_identity()["Account"]
    names = bucket_names(environment, account, region)
    print("All versions of all objects will be destroyed in:", *names, sep="\n  ")
    if input(f"Type {environment} to go on: ") != environment:
        sys.exit("Nothing was changed.")
    s3 = session.client("s3")
    for name in names:
        print(f"{name}: {empty(s3, name)} versions destroyed")


def emptied(name: str) -> Environment:
    """Return the environment of that name. Raises: SettingsError when there is none, or when it keeps its data."""
    if name not in list(Environment):
        raise SettingsError("Say which environment: python -m infra_cdk.empty_buckets dev")
    environment = Environment(name)
    if known_values(environment)["keep_data"]:
        raise SettingsError(
            f"{environment} keeps its data when it is destroyed. Empty its buckets by hand if you must."
        )
    return environment


def bucket_names(environment: Environment, account: str, region: str) -> list[str]:
    """Return the physical names of the environment's buckets."""
    declared = [resource for resource in RESOURCES if isinstance(resource, Bucket)]
    return [f"{resource_name(environment, bucket.name)}-{account}-{region}" for bucket in declared]


def empty(s3: "S3Client", bucket: str) -> int:
    """Destroy every version and delete marker of `bucket`; return how many there were."""
    destroyed = 0
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket, PaginationConfig={"PageSize": BATCH}):
        found = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
        if found:
            s3.delete_objects(
                Bucket=bucket,
                Delete={
                    "Objects": [{"Key": one["Key"], "VersionId": one["VersionId"]} for one in found],
                    "Quiet": True,
                },
            )
        destroyed += len(found)
    return destroyed


if __name__ == "__main__":
    main()
