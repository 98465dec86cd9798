"""The database, in a stack of its own: it takes a quarter of an hour to change, and nothing else should wait."""

from typing import Final

from aws_cdk import App, ArnFormat, CfnDeletionPolicy, CfnOutput, Fn, Stack, Tags
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_rds as rds
from constructs import Construct

from infra_cdk.acknowledgements import acknowledge
from infra_cdk.constructs.operation_function import Network
from infra_cdk.constructs.resources import Address, Resources
from infra_cdk.naming import resource_name
from infra_cdk.packages import DATABASE_CERTIFICATES, DATABASE_CERTIFICATES_IN_ASSET
from infra_cdk.settings import DatabaseCapacity, Settings
from infra_cdk.stacks.base import ENVIRONMENT_TAG, AreaStack
from shared.operations.capabilities import DATABASE, DATABASE_OWNER

ENGINE: Final = "aurora-postgresql"
ENGINE_VERSION: Final = "16.8"
"""Between the versions that the contract tests run against, 15 and 18; it can sleep."""
FAMILY: Final = "aurora-postgresql16"
PORT: Final = 5433
DATABASE_NAME: Final = "tessera"
OWNER: Final = "tessera_owner"
PAUSE_AFTER_S: Final = 300


class RelationalStack(AreaStack):
    """One Aurora Serverless v2 cluster in subnets without a way out: encrypted, entered by roles over TLS."""

    def __init__(
        self, scope: Construct, settings: Settings, capacity: DatabaseCapacity, key: kms.IKey, network: Network
    ) -> None:
        super().__init__(scope, "relational", settings, "PostgreSQL.")
        self._network = network
        self._subnet_ids = network.vpc.select_subnets(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED).subnet_ids
        self._door = ec2.SecurityGroup(
            self, "Door", vpc=network.vpc, description="The database.", allow_all_outbound=False
        )
        self._door.add_ingress_rule(network.security_group, ec2.Port.tcp(PORT), "from functions")
        self.cluster = self._cluster(capacity, key)
        for number in range(1, capacity.instances + 1):
            self._instance(number, key)
        CfnOutput(self, "DatabaseHost", value=self.cluster.attr_endpoint_address)

    @property
    def server(self) -> str:
        """Where the owner of the tables signs in, with a password: the cluster itself."""
        return f"{_url(OWNER, self.cluster.attr_endpoint_address)}?{_tls()}"

    def address(self) -> Address:
        """Return where functions sign in with their roles: at the proxy if there is one, else at the cluster."""
        if self.settings.database_proxy:
            proxy = self._proxy()
            # "…:db-proxy:prx-0123": the name that roles know it by stands at the end of its ARN.
            known_as, host = Fn.select(6, Fn.split(":", proxy.attr_db_proxy_arn)), proxy.attr_endpoint
            tls = "tls=verify"  # its certificate is of Amazon's public authority
        else:
            known_as, host, tls = self.cluster.attr_db_cluster_resource_id, self.cluster.attr_endpoint_address, _tls()
        url = f"{_url(DATABASE.user, host)}?iam=true&{tls}"
        return Address({DATABASE.variable: url}, arns=(user_arn(self, known_as),))

    def owner_address(self) -> Address:
        secret = self.cluster.attr_master_user_secret_secret_arn
        return Address({DATABASE_OWNER.variable: secret, DATABASE_OWNER.server_variable: self.server}, arns=(secret,))

    def _cluster(self, capacity: DatabaseCapacity, key: kms.IKey) -> rds.CfnDBCluster:
        subnets = rds.CfnDBSubnetGroup(
            self, "Subnets", db_subnet_group_description="Tessera: the database.", subnet_ids=self._subnet_ids
        )
        sleeps = capacity.smallest == 0
        parameters = rds.CfnDBClusterParameterGroup(
            self,
            "Parameters",
            family=FAMILY,
            description="Tessera: TLS only, slow statements are told.",
            parameters={
                "rds.force_ssl": "1",
                "log_min_duration_statement": "1000",
                # A function's process that nobody asks any more keeps its connection, and a connection keeps us awake.
                **({"idle_session_timeout": "60000"} if sleeps else {}),
            },
        )
        cluster = rds.CfnDBCluster(
            self,
            "Cluster",
            engine=ENGINE,
            engine_version=ENGINE_VERSION,
            database_name=DATABASE_NAME,
            port=PORT,
            master_username=OWNER,
            manage_master_user_password=True,
            master_user_secret=rds.CfnDBCluster.MasterUserSecretProperty(kms_key_id=key.key_arn),
            enable_iam_database_authentication=True,
            storage_encrypted=True,
            kms_key_id=key.key_arn,
            backup_retention_period=capacity.backup_days,
            copy_tags_to_snapshot=True,
            deletion_protection=self.settings.keep_data,
            db_subnet_group_name=subnets.ref,
            db_cluster_parameter_group_name=parameters.ref,
            vpc_security_group_ids=[self._door.security_group_id],
            enable_cloudwatch_logs_exports=["postgresql"],
            serverless_v2_scaling_configuration=rds.CfnDBCluster.ServerlessV2ScalingConfigurationProperty(
                min_capacity=capacity.smallest,
                max_capacity=capacity.largest,
                seconds_until_auto_pause=PAUSE_AFTER_S if sleeps else None,
            ),
        )
        policy = CfnDeletionPolicy.SNAPSHOT if self.settings.keep_data else CfnDeletionPolicy.DELETE
        cluster.cfn_options.deletion_policy = policy
        cluster.cfn_options.update_replace_policy = policy
        if not self.settings.keep_data:
            acknowledge(
                cluster, "RDS10", "This environment keeps nothing; its read models are built from the log again."
            )
        return cluster

    def _instance(self, number: int, key: kms.IKey) -> None:
        rds.CfnDBInstance(
            self,
            f"Instance{number}",
            engine=ENGINE,
            db_cluster_identifier=self.cluster.ref,
            db_instance_class="db.serverless",
            publicly_accessible=False,
            auto_minor_version_upgrade=True,
            enable_performance_insights=True,
            performance_insights_kms_key_id=key.key_arn,
            promotion_tier=min(number - 1, 1),  # both grow and shrink with the writer, so either can take over
        )

    def _proxy(self) -> rds.CfnDBProxy:
        door = ec2.SecurityGroup(
            self, "ProxyDoor", vpc=self._network.vpc, description="The proxy of the database.", allow_all_outbound=False
        )
        door.add_ingress_rule(self._network.security_group, ec2.Port.tcp(PORT), "from functions")
        door.add_egress_rule(self._door, ec2.Port.tcp(PORT), "to the database")
        self._door.add_ingress_rule(door, ec2.Port.tcp(PORT), "from the proxy")
        signs_in = iam.PolicyStatement(
            actions=list(DATABASE.connect.actions),
            resources=[user_arn(self, self.cluster.attr_db_cluster_resource_id)],
        )
        role = iam.Role(
            self,
            "ProxyRole",
            assumed_by=iam.ServicePrincipal("rds.amazonaws.com"),
            description="The proxy signs in as the functions' one database user.",
            inline_policies={"SignIn": iam.PolicyDocument(statements=[signs_in])},
        )
        proxy = rds.CfnDBProxy(
            self,
            "Proxy",
            db_proxy_name=resource_name(self.settings.environment, DATABASE.name),
            engine_family="POSTGRESQL",
            default_auth_scheme="IAM_AUTH",
            require_tls=True,
            role_arn=role.role_arn,
            vpc_subnet_ids=self._subnet_ids,
            vpc_security_group_ids=[door.security_group_id],
        )
        targets = rds.CfnDBProxyTargetGroup(
            self,
            "ProxyTargets",
            db_proxy_name=proxy.ref,
            target_group_name="default",
            db_cluster_identifiers=[self.cluster.ref],
        )
        Tags.of(targets).remove(ENVIRONMENT_TAG)  # CloudFormation refuses tags on this one kind of resource
        return proxy


def add_database(app: App, settings: Settings, resources: Resources, key: kms.IKey, network: Network | None) -> None:
    """Provide the database: one of our own, the local cloud's, or none, which empty addresses say.

    Roles name a database in every environment, so that the local template grants what production's does.
    """
    if settings.database_capacity is not None and network is not None:
        built = RelationalStack(app, settings, settings.database_capacity, key, network)
        resources.add(DATABASE, built.address())
        resources.add(DATABASE_OWNER, built.owner_address())
        return
    stack = Stack.of(key)
    name = resource_name(settings.environment, DATABASE.name)
    given = settings.database_endpoint
    secret = stack.format_arn(
        service="secretsmanager", resource="secret", resource_name=name, arn_format=ArnFormat.COLON_RESOURCE_NAME
    )
    resources.add(
        DATABASE,
        Address({DATABASE.variable: _as_user(given, DATABASE.user)}, arns=(user_arn(stack, name),)),
    )
    resources.add(
        DATABASE_OWNER,
        Address({DATABASE_OWNER.variable: "", DATABASE_OWNER.server_variable: _as_user(given, OWNER)}, arns=(secret,)),
    )


def user_arn(stack: Stack, known_as: str) -> str:
    """Return the address of the one database user that functions may be."""
    return stack.format_arn(
        service="rds-db",
        resource="dbuser",
        resource_name=f"{known_as}/{DATABASE.user}",
        arn_format=ArnFormat.COLON_RESOURCE_NAME,
    )


def _url(user: str, host: str) -> str:
    return f"postgresql://{user}@{host}:{PORT}/{DATABASE_NAME}"


def _tls() -> str:
    """Aurora's own certificate is of an authority that no system knows; a team that has its file is sure of it."""
    if DATABASE_CERTIFICATES.exists():
        return f"tls=verify&certificates={DATABASE_CERTIFICATES_IN_ASSET}"
    return "tls=encrypt"


def _as_user(endpoint: str | None, user: str) -> str:
    return "" if endpoint is None else endpoint.replace("//", f"//{user}@", 1)
