"""The VPC of environments whose search domain is private: no way in or out of it but endpoints."""

from typing import Final

from aws_cdk import RemovalPolicy
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra_cdk.constructs.operation_function import Network
from infra_cdk.settings import Settings
from infra_cdk.stacks.base import AreaStack
from shared.operations.capabilities import Bucket, EventBus, Queue, Resource, Table
from shared.operations.declaration import Operation

GATEWAYS: Final[dict[type[Resource], ec2.GatewayVpcEndpointAwsService]] = {
    Bucket: ec2.GatewayVpcEndpointAwsService.S3,
    Table: ec2.GatewayVpcEndpointAwsService.DYNAMODB,
}
"""Free, by route table."""

INTERFACES: Final[dict[type[Resource], ec2.InterfaceVpcEndpointAwsService]] = {
    Queue: ec2.InterfaceVpcEndpointAwsService.SQS,
    EventBus: ec2.InterfaceVpcEndpointAwsService.EVENTBRIDGE,
}
"""Paid per zone and hour, so only those that a function in the VPC declares."""


class NetworkStack(AreaStack):
    """Isolated subnets in two zones, the endpoints that declared capabilities need, and the functions' group."""

    def __init__(self, scope: Construct, settings: Settings, operations: tuple[Operation, ...]) -> None:
        super().__init__(scope, "network", settings, "VPC and endpoints.")
        self.vpc = ec2.Vpc(
            self,
            "Vpc",
            max_azs=2,
            nat_gateways=0,
            subnet_configuration=[
                ec2.SubnetConfiguration(name="Isolated", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED, cidr_mask=22)
            ],
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
            description="Functions that reach the search domain.",
            allow_all_outbound=True,
        )
        self.network = Network(self.vpc, self.functions)
        self._add_endpoints(operations)

    def _add_endpoints(self, operations: tuple[Operation, ...]) -> None:
        inside = [op for op in operations if any(use.needs_vpc for use in op.capabilities)]
        kinds = {type(use.resource) for op in inside for use in op.capabilities}
        for kind, gateway in GATEWAYS.items():
            if kind in kinds:
                self.vpc.add_gateway_endpoint(f"{kind.__name__}Endpoint", service=gateway)
        doors = None
        for kind, interface in INTERFACES.items():
            if kind not in kinds:
                continue
            if doors is None:
                doors = ec2.SecurityGroup(
                    self, "Endpoints", vpc=self.vpc, description="Interface endpoints.", allow_all_outbound=False
                )
                doors.add_ingress_rule(self.functions, ec2.Port.tcp(443), "from functions")
            self.vpc.add_interface_endpoint(
                f"{kind.__name__}Endpoint", service=interface, security_groups=[doors], open=False
            )
