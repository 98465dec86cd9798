"""One operation as AWS sees it: function, role with literal actions, log group, alarms."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from aws_cdk import Annotations, ArnFormat, Aws, Duration, RemovalPolicy, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from constructs import Construct

from infra_cdk.acknowledgements import acknowledge
from infra_cdk.constructs.alarms import watch_function
from infra_cdk.constructs.log_retention import log_retention_of
from infra_cdk.constructs.resources import Resources
from infra_cdk.naming import function_name, pascal_case
from infra_cdk.placement import Placement, placement_of
from infra_cdk.settings import Settings
from shared.operations.capabilities import Bucket, Group
from shared.operations.declaration import AuthorizerTrigger, HttpTrigger, Operation
from shared.operations.tenant_policies import TENANT_ROLE, reaches_tenant_data
from shared.operations.variables import ENVIRONMENT, OPERATION

ENTRY_POINT: Final = "shared.composition.entry.handler"

ASSUME: Final = "sts:AssumeRole"
OWN_LOGS: Final = ("logs:CreateLogStream", "logs:PutLogEvents")
TRACING: Final = ("xray:PutTelemetryRecords", "xray:PutTraceSegments")
NETWORK_INTERFACES: Final = (
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcs",
    "ec2:GetSecurityGroupsForVpc",
    "ec2:UnassignPrivateIpAddresses",
)
"""What the Lambda service itself needs, under the function's role, to attach a function to a VPC."""


SUBNETS: Final = {
    Placement.ISOLATED: ec2.SubnetType.PRIVATE_ISOLATED,
    Placement.WITH_WAY_OUT: ec2.SubnetType.PRIVATE_WITH_EGRESS,
}


@dataclass(frozen=True)
class Network:
    """Where functions live that reach something inside the VPC."""

    vpc: ec2.IVpc
    security_group: ec2.ISecurityGroup


@dataclass(frozen=True)
class Platform:
    """What all functions of an environment share."""

    settings: Settings
    resources: Resources
    asset_of: Callable[[Group], lambda_.Code]
    alarms_topic: sns.ITopic | None
    network: Network | None


class OperationFunction(Construct):
    """The function of one operation; its construct id, name and metrics carry the operation's id."""

    def __init__(
        self, scope: Construct, operation: Operation, platform: Platform, *, more: tuple[iam.PolicyStatement, ...] = ()
    ) -> None:
        super().__init__(scope, pascal_case(operation.id))
        self.operation = operation
        self._platform = platform
        settings = platform.settings
        name = function_name(settings.environment, operation)
        placement = placement_of(operation, settings)
        network = None if placement is Placement.OUTSIDE else platform.network
        log_group = logs.LogGroup(
            self,
            "Logs",
            log_group_name=f"/aws/lambda/{name}",
            retention=log_retention_of(settings),
            removal_policy=RemovalPolicy.RETAIN if settings.keep_data else RemovalPolicy.DESTROY,
        )
        needs_tenants = reaches_tenant_data(operation.capabilities)
        tenant_role = tenant_role_arn(Stack.of(self), settings, operation) if needs_tenants else None
        if tenant_role is not None:
            more = (*more, iam.PolicyStatement(actions=[ASSUME], resources=[tenant_role]))
        role = self._role(name, log_group, in_vpc=network is not None, more=more)
        sessions = self._tenant_role(role) if needs_tenants else None
        self.function = lambda_.Function(
            self,
            "Function",
            function_name=name,
            description=operation.summary[:256],
            # The role is complete: nothing that the CDK would like to add by itself may widen it.
            role=role.without_policy_updates(),
            code=platform.asset_of(operation.group),
            handler=ENTRY_POINT,
            runtime=lambda_.Runtime.PYTHON_3_13,
            architecture=lambda_.Architecture.ARM_64,
            memory_size=operation.memory_mb,
            timeout=Duration.seconds(operation.timeout_s + settings.cold_start_allowance_s),
            environment={
                ENVIRONMENT: settings.environment,
                OPERATION: f"{operation.area}.{operation.id}",
                **({} if tenant_role is None else {TENANT_ROLE: tenant_role}),
                **platform.resources.environment_of(operation.capabilities),
            },
            log_group=log_group,
            tracing=lambda_.Tracing.ACTIVE,
            snap_start=lambda_.SnapStartConf.ON_PUBLISHED_VERSIONS if self._snap_starts else None,
            vpc=network.vpc if network else None,
            vpc_subnets=ec2.SubnetSelection(subnet_type=SUBNETS[placement]) if network else None,
            security_groups=[network.security_group] if network else None,
        )
        if sessions is not None:
            # Named by its name alone, it would otherwise come whenever it likes.
            self.function.node.add_dependency(sessions)
        acknowledge(
            self.function,
            "L1",
            "The wheels of the lock are chosen and compiled for Python 3.13; tests hold the two equal.",
        )
        self.target: lambda_.IFunction = self._published() if self._snap_starts else self.function
        watch_function(
            self.function,
            operation,
            settings.environment,
            platform.alarms_topic,
            knows_rates=not settings.is_local,
        )

    @property
    def _snap_starts(self) -> bool:
        """Only where a person waits for a cold start; a snapshot is paid for while it exists."""
        waited_for = isinstance(self.operation.trigger, HttpTrigger | AuthorizerTrigger)
        return self._platform.settings.snap_start and waited_for

    def _published(self) -> lambda_.Alias:
        # SnapStart restores published versions only, so callers go through an alias of the latest one.
        Annotations.of(self.function).acknowledge_warning(
            "@aws-cdk/aws-lambda:snapStartRequirePublish", "Callers use the alias of a published version."
        )
        return lambda_.Alias(self, "Live", alias_name="live", version=self.function.current_version)

    def _role(
        self, name: str, log_group: logs.LogGroup, *, in_vpc: bool, more: tuple[iam.PolicyStatement, ...]
    ) -> iam.Role:
        statements = [
            iam.PolicyStatement(actions=list(OWN_LOGS), resources=[log_group.log_group_arn]),
            iam.PolicyStatement(actions=list(TRACING), resources=["*"]),
            *self._platform.resources.statements_of(self.operation.capabilities),
            *more,
        ]
        if in_vpc:
            stack = Stack.of(self)
            own_arn = stack.format_arn(
                service="lambda", resource="function", resource_name=name, arn_format=ArnFormat.COLON_RESOURCE_NAME
            )
            statements += [
                iam.PolicyStatement(actions=list(NETWORK_INTERFACES), resources=["*"]),
                iam.PolicyStatement(
                    effect=iam.Effect.DENY,
                    actions=list(NETWORK_INTERFACES),
                    resources=["*"],
                    conditions={"ArnEquals": {"lambda:SourceFunctionArn": own_arn}},
                ),
            ]
        role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            description=f"What {self.operation.id} may do, from its declaration.",
            inline_policies={"Declared": iam.PolicyDocument(statements=statements)},
        )
        acknowledge(
            role,
            "IAM5[Resource::*]",
            "Tracing and network interfaces have no resource to name; function code itself is denied the latter.",
        )
        for arn in self._platform.resources.wildcards_of(self.operation.capabilities):
            acknowledge(
                role,
                f"IAM5[Resource::{arn.replace(Aws.ACCOUNT_ID, '<AWS::AccountId>')}]",
                "Index paths have no names before they exist; the actions on them are literal.",
            )
        return role

    def _tenant_role(self, function_role: iam.Role) -> iam.Role:
        """Make the role that reaches tenants' data; each session of it is held to one tenant by a policy of its own."""
        resources, capabilities = self._platform.resources, self.operation.capabilities
        role = iam.Role(
            self,
            "TenantRole",
            role_name=tenant_role_name(Stack.of(self), self._platform.settings, self.operation),
            assumed_by=iam.ArnPrincipal(function_role.role_arn),
            description=f"What {self.operation.id} may do for one tenant at a time, from its declaration.",
            inline_policies={"Declared": iam.PolicyDocument(statements=resources.tenant_statements_of(capabilities))},
            max_session_duration=Duration.hours(1),
        )
        for bucket in {
            use.resource.name: use.resource for use in capabilities if isinstance(use.resource, Bucket)
        }.values():
            (arn,) = resources.address_of(bucket).arns
            acknowledge(
                role,
                f"IAM5[Resource::{arn.replace(Aws.ACCOUNT_ID, '<AWS::AccountId>')}/t/*/*]",
                "Objects have no names before they exist; sessions are held to one tenant's, the actions are literal.",
            )
        return role


def tenant_role_name(stack: Stack, settings: Settings, operation: Operation) -> str:
    """Return a name that is known before the role exists: the function's role names it, and it the function's role."""
    return f"{function_name(settings.environment, operation)}-{stack.region}"


def tenant_role_arn(stack: Stack, settings: Settings, operation: Operation) -> str:
    name = tenant_role_name(stack, settings, operation)
    return stack.format_arn(service="iam", region="", resource="role", resource_name=name)
