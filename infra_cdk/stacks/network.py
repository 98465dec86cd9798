"""The VPC of environments with a private search domain or database: no way in, and out where it is declared."""

from collections.abc import Collection, Mapping
from typing import Final

from aws_cdk import RemovalPolicy
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra_cdk.constructs.operation_function import Network
from infra_cdk.placement import Placement, placement_of
from infra_cdk.settings import Settings
from infra_cdk.stacks.base import AreaStack
from shared.operations.capabilities import (
    Bucket,
    DatabaseOwner,
    EncryptionKey,
    EventBus,
    Queue,
    Resource,
    Secret,
    Table,
)
from shared.operations.declaration import Operation

GATEWAYS: Final[dict[type[Resource], ec2.GatewayVpcEndpointAwsService]] = {
    Bucket: ec2.GatewayVpcEndpointAwsService.S3,
    Table: ec2.GatewayVpcEndpointAwsService.DYNAMODB,
}
"""Free, by route table."""

INTERFACES: Final[dict[type[Resource], ec2.InterfaceVpcEndpointAwsService]] = {
    Queue: ec2.InterfaceVpcEndpointAwsService.SQS,
    EventBus: ec2.InterfaceVpcEndpointAwsService.EVENTBRIDGE,
    Secret: ec2.InterfaceVpcEndpointAwsService.SECRETS_MANAGER,
    EncryptionKey: ec2.InterfaceVpcEndpointAwsService.KMS,
    Table: ec2.InterfaceVpcEndpointAwsService.STS,
}
"""Paid per zone and hour, so only those that a function without a way out declares.

Whoever reaches tables asks STS for sessions.
"""

ISOLATED: Final = ec2.SubnetConfiguration(name="Isolated", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED, cidr_mask=22)
WAY_OUT: Final = (
    ec2.SubnetConfiguration(name="WayOut", subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS, cidr_mask=24),
    ec2.SubnetConfiguration(
        name="Gateway", subnet_type=ec2.SubnetType.PUBLIC, cidr_mask=28, map_public_ip_on_launch=False
    ),
)
"""One address translator for both zones: it costs as much as two endpoints, and only signing in through a provider of
the tenant's own waits for its zone."""


class NetworkStack(AreaStack):
    """Subnets in two zones, the endpoints and the way out that declared capabilities need, the functions' group."""

    def __init__(self, scope: Construct, settings: Settings, operations: tuple[Operation, ...]) -> None:
        super().__init__(scope, "network", settings, "VPC and endpoints.")
        placements = {operation: placement_of(operation, settings) for operation in operations}
        has_way_out = Placement.WITH_WAY_OUT in placements.values()
        self.vpc = ec2.Vpc(
            self,
            "Vpc",
            max_azs=2,
            nat_gateways=1 if has_way_out else 0,
            subnet_configuration=[ISOLATED, *(WAY_OUT if has_way_out else ())],
            restrict_default_security_group=False,  # it would need a function that may change security groups
        )
        flow_log = logs.LogGroup(
            self, "FlowLogGroup", retention=logs.RetentionDays.THREE_MONTHS, removal_policy=RemovalPolicy.DESTROY
        )
        self.vpc.add_flow_log("FlowLog", destination=ec2.FlowLogDestination.to_cloud_watch_logs(flow_log))
        self.functions = ec2.SecurityGroup(
            self,
            "Functions",
            vpc=self.vpc,
            description="Functions that reach the search domain, the cache or the database.",
            allow_all_outbound=True,
        )
        self.network = Network(self.vpc, self.functions)
        self._add_gateways(_kinds(placements, Placement.ISOLATED, Placement.WITH_WAY_OUT))
        self._add_interfaces(_kinds(placements, Placement.ISOLATED))

    def _add_gateways(self, kinds: Collection[type[Resource]]) -> None:
        for kind, gateway in GATEWAYS.items():
            if kind in kinds:
                self.vpc.add_gateway_endpoint(f"{kind.__name__}Endpoint", service=gateway)

    def _add_interfaces(self, kinds: Collection[type[Resource]]) -> None:
        doors = None
        for kind, interface in INTERFACES.items():
            if kind not in kinds and not (kind is Secret and DatabaseOwner in kinds):
                continue
            if doors is None:
                doors = ec2.SecurityGroup(
                    self, "Endpoints", vpc=self.vpc, description="Interface endpoints.", allow_all_outbound=False
                )
                doors.add_ingress_rule(self.functions, ec2.Port.tcp(443), "from functions")
            self.vpc.add_interface_endpoint(
                "SessionEndpoint" if kind is Table else f"{kind.__name__}Endpoint",
                service=interface,
                subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED),
                security_groups=[doors],
                open=False,
            )


def _kinds(placements: Mapping[Operation, Placement], *wanted: Placement) -> set[type[Resource]]:
    """Return the kinds of resources that functions in the `wanted` places use."""
    return {
        type(use.resource)
        for operation, placement in placements.items()
        if placement in wanted
        for use in operation.capabilities
    }
