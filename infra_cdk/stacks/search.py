"""The search domain, in a stack of its own: it takes a quarter of an hour to change, and nothing else should wait."""

from typing import Final

from aws_cdk import CfnOutput, RemovalPolicy
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_opensearchservice as opensearch
from constructs import Construct

from infra_cdk.acknowledgements import acknowledge
from infra_cdk.constructs.operation_function import Network
from infra_cdk.naming import resource_name
from infra_cdk.settings import SearchCapacity, Settings
from infra_cdk.stacks.base import AreaStack, resource_of
from shared.operations.capabilities import VECTORS

VERSION: Final = opensearch.EngineVersion.OPENSEARCH_2_19
"""The version that the contract tests run against."""


class SearchStack(AreaStack):
    """One OpenSearch domain: encrypted, signed requests only; in the VPC where the capacity says so."""

    def __init__(
        self,
        scope: Construct,
        settings: Settings,
        capacity: SearchCapacity,
        key: kms.IKey,
        domain_name: str,
        network: Network | None,
        area: str = "search",
    ) -> None:
        super().__init__(scope, area, settings, "OpenSearch domain.")
        self.domain = opensearch.Domain(
            self,
            "Vectors",
            domain_name=domain_name,
            version=VERSION,
            capacity=opensearch.CapacityConfig(
                data_node_instance_type=capacity.instance_type,
                data_nodes=capacity.instances,
                master_node_instance_type=capacity.master_instance_type,
                master_nodes=3 if capacity.master_instance_type else None,
                multi_az_with_standby_enabled=False,
            ),
            zone_awareness=opensearch.ZoneAwarenessConfig(enabled=capacity.instances > 1, availability_zone_count=2)
            if capacity.instances > 1
            else None,
            ebs=opensearch.EbsOptions(volume_size=capacity.volume_gib, volume_type=ec2.EbsDeviceVolumeType.GP3),
            encryption_at_rest=opensearch.EncryptionAtRestOptions(enabled=True, kms_key=key),
            node_to_node_encryption=True,
            enforce_https=True,
            tls_security_policy=opensearch.TLSSecurityPolicy.TLS_1_2_PFS,
            logging=self._logging(area.removeprefix("search")),
            suppress_logs_resource_policy=True,
            vpc=network.vpc if network else None,
            vpc_subnets=[_subnets(network, capacity.instances)] if network else None,
            security_groups=[self._door(network)] if network else None,
            removal_policy=self.removal,
        )
        self._allow_roles_of_the_account(domain_name)
        # The domain checks at creation that it may write its logs.
        self.domain.node.add_dependency(self._log_delivery)
        self.endpoint = f"https://{self.domain.domain_endpoint}"
        CfnOutput(self, "VectorsEndpoint", value=self.endpoint)
        self._acknowledge(capacity)

    def _door(self, network: Network) -> ec2.SecurityGroup:
        door = ec2.SecurityGroup(
            self, "Door", vpc=network.vpc, description="The search domain.", allow_all_outbound=False
        )
        door.add_ingress_rule(network.security_group, ec2.Port.tcp(443), "from functions")
        return door

    def _logging(self, suffix: str) -> opensearch.LoggingOptions:
        groups = {
            kind: logs.LogGroup(
                self,
                kind,
                log_group_name=f"/aws/opensearch/{resource_name(self.settings.environment, kind.lower())}{suffix}",
                retention=logs.RetentionDays.ONE_MONTH,
                removal_policy=RemovalPolicy.DESTROY,
            )
            for kind in ("ApplicationLog", "SlowSearchLog", "SlowIndexLog")
        }
        policy = logs.ResourcePolicy(
            self,
            "LogDelivery",
            policy_statements=[
                iam.PolicyStatement(
                    actions=["logs:CreateLogStream", "logs:PutLogEvents"],
                    principals=[iam.ServicePrincipal("es.amazonaws.com")],
                    resources=[group.log_group_arn for group in groups.values()],
                    conditions={"StringEquals": {"aws:SourceAccount": self.account}},
                )
            ],
        )
        self._log_delivery = policy
        return opensearch.LoggingOptions(
            app_log_enabled=True,
            app_log_group=groups["ApplicationLog"],
            slow_search_log_enabled=True,
            slow_search_log_group=groups["SlowSearchLog"],
            slow_index_log_enabled=True,
            slow_index_log_group=groups["SlowIndexLog"],
        )

    def _allow_roles_of_the_account(self, domain_name: str) -> None:
        """Answer signed requests of roles that may make them, and nothing else.

        Written into the domain itself: the CDK's own way adds a function that may change every domain of the account.
        """
        arn = self.format_arn(service="es", resource="domain", resource_name=f"{domain_name}/*")
        statement = iam.PolicyStatement(
            actions=sorted({*VECTORS.search.actions_within, *VECTORS.write.actions_within}),
            principals=[iam.AccountRootPrincipal()],
            resources=[arn],
        )
        resource_of(self.domain, opensearch.CfnDomain).access_policies = iam.PolicyDocument(statements=[statement])

    def _acknowledge(self, capacity: SearchCapacity) -> None:
        acknowledge(
            self.domain, "OS3", "Callers are functions with signed requests and changing addresses, not known networks."
        )
        if not capacity.in_vpc:
            acknowledge(self.domain, "OS1", "dev is reached from developers' machines, by signed requests only.")
        if capacity.master_instance_type is None:
            acknowledge(self.domain, "OS4", "One small node: dedicated masters would cost three times the data node.")
        if capacity.instances == 1:
            acknowledge(self.domain, "OS7", "One small node has one zone; its content can be built again from S3.")


def _subnets(network: Network, instances: int) -> ec2.SubnetSelection:
    """One subnet per zone that holds data: a domain of one node refuses two."""
    return ec2.SubnetSelection(subnets=network.vpc.isolated_subnets[: min(instances, 2)])
