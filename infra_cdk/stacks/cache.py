"""The cache that counts requests: apart, for it takes minutes to change, and nothing in it must be kept."""

from typing import Final

from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticache as elasticache
from constructs import Construct

from infra_cdk.constructs.operation_function import Network
from infra_cdk.naming import resource_name
from infra_cdk.settings import CacheCapacity, Settings
from infra_cdk.stacks.base import AreaStack
from shared.operations.capabilities import CACHE

ENGINE: Final = "valkey"
"""Answers as Redis 7.2 does, which the contract tests run against, at two thirds of its price."""
ENGINE_VERSION: Final = "8"
PORT: Final = 6379

MAY_DO: Final = "on ~* +@all -@admin -@dangerous"
"""Of the functions' user: its own keys, all ordinary commands, nothing that looks at or changes the server."""


class CacheStack(AreaStack):
    """One serverless cache in the VPC: TLS only, and one user, who signs in with a role of this account."""

    def __init__(self, scope: Construct, settings: Settings, capacity: CacheCapacity, network: Network) -> None:
        super().__init__(scope, "cache", settings, "cache of rate limits.")
        name = cache_name(settings)
        user = elasticache.CfnUser(
            self,
            "User",
            engine=ENGINE,
            user_id=name,
            user_name=name,  # signing in by a role asks for the two to be equal
            access_string=MAY_DO,
            authentication_mode={"Type": "iam"},
        )
        users = elasticache.CfnUserGroup(self, "Users", engine=ENGINE, user_group_id=name, user_ids=[user.ref])
        door = ec2.SecurityGroup(self, "Door", vpc=network.vpc, description="The cache.", allow_all_outbound=False)
        door.add_ingress_rule(network.security_group, ec2.Port.tcp(PORT), "from functions")
        cache = elasticache.CfnServerlessCache(
            self,
            "Cache",
            serverless_cache_name=name,
            description="Tessera: rate limits and quotas.",
            engine=ENGINE,
            major_engine_version=ENGINE_VERSION,
            user_group_id=users.ref,
            security_group_ids=[door.security_group_id],
            subnet_ids=network.vpc.select_subnets(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED).subnet_ids,
            cache_usage_limits=elasticache.CfnServerlessCache.CacheUsageLimitsProperty(
                data_storage=elasticache.CfnServerlessCache.DataStorageProperty(
                    maximum=capacity.storage_gib, unit="GB"
                ),
                ecpu_per_second=elasticache.CfnServerlessCache.ECPUPerSecondProperty(maximum=capacity.units_per_s),
            ),
        )
        self.address = f"rediss://{name}@{cache.attr_endpoint_address}:{cache.attr_endpoint_port}/?iam={name}"


def cache_name(settings: Settings) -> str:
    """Return the name of the environment's cache, of its user and of their group."""
    return resource_name(settings.environment, CACHE.name)
