"""Function assets: one per dependency group, built without Docker, shared by all functions of the group."""

import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import jsii
from aws_cdk import AssetHashType, BundlingOptions, DockerImage, ILocalBundling
from aws_cdk import aws_lambda as lambda_

from infra_cdk.packages import LAMBDA, ROOT, build_package, content_hash
from infra_cdk.settings import Settings
from shared.operations.capabilities import Group

WITHOUT_BYTECODE: Final = (
    f"! There is no Python {LAMBDA.python} here, so the functions carry no bytecode: each cold start compiles anew, "
    "about half a second. Install that version to avoid it.\n"
)


@jsii.implements(ILocalBundling)
class LocalBundling:
    """Fills the asset's folder in this process."""

    def __init__(self, group: Group | None) -> None:
        self._group = group

    def try_bundle(self, output_dir: str, *_options: Any, **_more: Any) -> bool:
        """The CDK passes its options by position; True means that no container is needed."""
        if self._group is not None and LAMBDA.bytecode is None:
            sys.stderr.write(WITHOUT_BYTECODE)
        build_package(self._group, LAMBDA, Path(output_dir))
        return True


@dataclass(frozen=True)
class Assets:
    """The assets of one environment. The local cloud's functions run in its own Python, so they carry sources alone."""

    settings: Settings

    def code_of(self, group: Group) -> lambda_.Code:
        packed = group if self.settings.bundle_wheels else None
        return lambda_.Code.from_asset(
            str(ROOT),
            asset_hash=_hash(packed),
            asset_hash_type=AssetHashType.CUSTOM,
            bundling=BundlingOptions(image=DockerImage.from_registry("not-used"), local=LocalBundling(packed)),
        )


@cache
def _hash(group: Group | None) -> str:
    return content_hash(group, LAMBDA)
