"""Function assets: one per dependency group, built without Docker, shared by all functions of the group."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import jsii
from aws_cdk import AssetHashType, BundlingOptions, DockerImage, ILocalBundling
from aws_cdk import aws_lambda as lambda_

from infra_cdk.packages import LAMBDA, ROOT, content_hash, copy_sources
from infra_cdk.settings import Settings
from shared.operations.capabilities import Group


@jsii.implements(ILocalBundling)
class LocalBundling:
    """Fills the asset's folder in this process."""

    def __init__(self, group: Group | None) -> None:
        self._group = group

    def try_bundle(self, output_dir: str, *_options: Any, **_more: Any) -> bool:
        """The CDK passes its options by position; True means that no container is needed."""
        folder = Path(output_dir)
        copy_sources(folder)
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
