"""What must not be lost: buckets, tables, secrets, and the keys that encrypt them."""

from typing import Final

from aws_cdk import CfnOutput, Duration, RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra_cdk.acknowledgements import acknowledge
from infra_cdk.constructs.resources import Address, Resources, bucket_name
from infra_cdk.naming import pascal_case, resource_name
from infra_cdk.settings import Settings
from infra_cdk.stacks.base import AreaStack, resource_of
from shared.operations.capabilities import RESOURCES, UPLOADS, Bucket, EncryptionKey, Queue, Secret, Table
from shared.operations.declaration import Operation, StreamTrigger

KEY_ROTATION_DAYS: Final = 90
NONCURRENT_VERSION_DAYS: Final = 30
"""How long a replaced or deleted object can still be recovered."""
INCOMPLETE_UPLOAD_DAYS: Final = 2

TENANTS_PREFIX: Final = "t/"
TENANT_TAG: Final = "tessera:tenant"

ENCRYPTING: Final = ("dynamodb", "s3", "secretsmanager")
"""The services that use the key for us."""

NOTHING_YET: Final = "{}"
"""What a new secret holds. It stands in the template, so changing it would make CloudFormation overwrite what the
deployment has put there since: it must stay as it is for ever."""

SEALED_FOR: Final = "tenant"
"""What every sealed value names in its encryption context, so that it opens for that tenant only."""

ENCRYPTED_BY_SERVICE: Final = (
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:GenerateDataKeyWithoutPlaintext",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
)


class DataStack(AreaStack):
    """Buckets, tables, secrets and keys, from their declarations."""

    def __init__(
        self,
        scope: Construct,
        settings: Settings,
        resources: Resources,
        queues: dict[str, sqs.Queue],
        operations: tuple[Operation, ...],
    ) -> None:
        super().__init__(scope, "data", settings, "buckets, tables, secrets and keys.")
        self.key = self._key()
        self._access_logs = self._access_log_bucket()
        streamed = {op.trigger.table.name for op in operations if isinstance(op.trigger, StreamTrigger)}
        for resource in RESOURCES:
            if isinstance(resource, Bucket):
                self._add_bucket(resource, resources, queues)
            elif isinstance(resource, Table):
                self._add_table(resource, resources, streamed=resource.name in streamed)
            elif isinstance(resource, Secret):
                self._add_secret(resource, resources)
            elif isinstance(resource, EncryptionKey):
                self._add_key(resource, resources)

    def _key(self) -> kms.Key:
        key = kms.Key(
            self,
            "Key",
            alias=f"alias/{resource_name(self.settings.environment, 'data')}",
            description="Tessera: buckets, tables, secrets and the search domain.",
            enable_key_rotation=True,
            rotation_period=Duration.days(KEY_ROTATION_DAYS),
            removal_policy=self.removal,
        )
        # As the AWS-managed keys do it: whoever may use the table, bucket or secret may use its key, through that
        # service only. So a role's declaration needs no word about keys, and no role can use the key directly.
        key.add_to_resource_policy(
            iam.PolicyStatement(
                sid="ThroughTheServicesOfThisAccount",
                actions=list(ENCRYPTED_BY_SERVICE),
                principals=[iam.AnyPrincipal()],
                resources=["*"],
                conditions={
                    "StringEquals": {
                        "kms:CallerAccount": self.account,
                        "kms:ViaService": [f"{service}.{self.region}.amazonaws.com" for service in ENCRYPTING],
                    }
                },
            )
        )
        return key

    def _access_log_bucket(self) -> s3.Bucket:
        bucket = s3.Bucket(
            self,
            "AccessLogs",
            encryption=s3.BucketEncryption.S3_MANAGED,  # the only kind that the log delivery can write to
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            enforce_ssl=True,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            removal_policy=RemovalPolicy.RETAIN,  # who read what outlives the data, and a bucket that fills cannot go
        )
        acknowledge(bucket, "S1", "This is where the access logs go; logging its own access would never end.")
        return bucket

    def _add_bucket(self, declared: Bucket, resources: Resources, queues: dict[str, sqs.Queue]) -> None:
        construct_id = pascal_case(declared.name)
        bucket = s3.Bucket(
            self,
            construct_id,
            bucket_name=bucket_name(self, self.settings, declared),
            versioned=True,
            encryption=s3.BucketEncryption.KMS,
            encryption_key=self.key,
            bucket_key_enabled=True,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            server_access_logs_bucket=self._access_logs,
            server_access_logs_prefix=f"{declared.name}/",
            lifecycle_rules=_lifecycle(declared),
            object_lock_default_retention=self._lock(declared),
            cors=self._browser_uploads(),
            removal_policy=self.removal,
        )
        self._notify(bucket, declared, queues)
        # By name, not by reference: a role then reads as it is meant.
        arn = f"arn:aws:s3:::{bucket_name(self, self.settings, declared)}"
        resources.add(
            declared, Address({declared.variable: bucket.bucket_name}, arns=(arn,), arns_within=(f"{arn}/*",))
        )
        CfnOutput(self, f"{construct_id}Bucket", value=bucket.bucket_name)

    def _lock(self, declared: Bucket) -> s3.ObjectLockRetention | None:
        """In compliance mode nobody lifts a lock, the account's root included, so only kept data is locked."""
        if not (declared.is_locked and self.settings.keep_data):
            return None
        return s3.ObjectLockRetention.compliance(Duration.days(self.settings.archive_lock_days))

    def _browser_uploads(self) -> list[s3.CorsRule] | None:
        """A console page posts straight to the bucket, so the bucket knows the same origins as the API."""
        if not self.settings.cors_origins:
            return None
        return [
            s3.CorsRule(
                allowed_methods=[s3.HttpMethods.GET, s3.HttpMethods.POST],
                allowed_origins=list(self.settings.cors_origins),
                allowed_headers=["*"],
                max_age=3_600,
            )
        ]

    def _notify(self, bucket: s3.Bucket, declared: Bucket, queues: dict[str, sqs.Queue]) -> None:
        """Send object events to the queues that `declared` feeds.

        Written into the bucket itself: the CDK's own way adds a function that may change every bucket of the account.
        """
        fed = [resource for resource in RESOURCES if isinstance(resource, Queue) and resource.fed_by == declared]
        if not fed:
            return
        _limit_drops(bucket)
        resource_of(bucket, s3.CfnBucket).notification_configuration = s3.CfnBucket.NotificationConfigurationProperty(
            queue_configurations=[
                s3.CfnBucket.QueueConfigurationProperty(event=event, queue=queues[queue.name].queue_arn)
                for queue in fed
                for event in ("s3:ObjectCreated:*", "s3:ObjectRemoved:*")
            ]
        )

    def _add_table(self, declared: Table, resources: Resources, *, streamed: bool) -> None:
        construct_id = pascal_case(declared.name)
        table = dynamodb.TableV2(
            self,
            construct_id,
            table_name=resource_name(self.settings.environment, declared.name),
            partition_key=dynamodb.Attribute(name=declared.partition_key, type=dynamodb.AttributeType.STRING),
            sort_key=dynamodb.Attribute(name=declared.sort_key, type=dynamodb.AttributeType.STRING),
            global_secondary_indexes=[
                dynamodb.GlobalSecondaryIndexPropsV2(
                    index_name=index.name,
                    partition_key=dynamodb.Attribute(name=index.partition_key, type=dynamodb.AttributeType.STRING),
                    sort_key=dynamodb.Attribute(name=index.sort_key, type=dynamodb.AttributeType.NUMBER),
                )
                for index in declared.indexes
            ]
            or None,
            time_to_live_attribute=declared.time_to_live,
            billing=dynamodb.Billing.on_demand(),
            encryption=dynamodb.TableEncryptionV2.customer_managed_key(self.key),
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            deletion_protection=self.settings.keep_data,
            dynamo_stream=dynamodb.StreamViewType.NEW_AND_OLD_IMAGES if streamed else None,
            removal_policy=self.removal,
        )
        resources.add(
            declared,
            Address(
                {declared.variable: table.table_name},
                arns=(table.table_arn,),
                stream_arn=table.table_stream_arn if streamed else None,
            ),
        )
        CfnOutput(self, f"{construct_id}Table", value=table.table_name)

    def _add_secret(self, declared: Secret, resources: Resources) -> None:
        secret = secretsmanager.Secret(
            self,
            pascal_case(declared.name),
            secret_name=resource_name(self.settings.environment, declared.name),
            description="Tessera: filled and replaced by its functions.",
            removal_policy=self.removal,
        )
        resource = resource_of(secret, secretsmanager.CfnSecret)
        # Set here: the construct would add statements to the key that its policy for services makes superfluous.
        resource.kms_key_id = self.key.key_arn
        resource.generate_secret_string = None
        resource.secret_string = NOTHING_YET
        acknowledge(secret, "SMG4", "An operation of ours replaces it on a schedule, with an overlap for its readers.")
        resources.add(declared, Address({declared.variable: secret.secret_arn}, arns=(secret.secret_arn,)))

    def _add_key(self, declared: EncryptionKey, resources: Resources) -> None:
        key = kms.Key(
            self,
            pascal_case(declared.name),
            alias=f"alias/{resource_name(self.settings.environment, declared.name)}",
            description="Tessera: what tenants entrust to it and it must read again.",
            enable_key_rotation=True,
            rotation_period=Duration.days(KEY_ROTATION_DAYS),
            removal_policy=self.removal,
        )
        key.add_to_resource_policy(
            iam.PolicyStatement(
                sid="NothingWithoutItsTenant",
                effect=iam.Effect.DENY,
                principals=[iam.AnyPrincipal()],
                actions=[*declared.seal.actions, *declared.open.actions],
                resources=["*"],
                conditions={"Null": {f"kms:EncryptionContext:{SEALED_FOR}": "true"}},
            )
        )
        resources.add(declared, Address({declared.variable: key.key_arn}, arns=(key.key_arn,)))


def _lifecycle(declared: Bucket) -> list[s3.LifecycleRule]:
    rules = [
        s3.LifecycleRule(
            id="forget-incomplete-uploads",
            abort_incomplete_multipart_upload_after=Duration.days(INCOMPLETE_UPLOAD_DAYS),
        )
    ]
    if not declared.is_locked:
        # Of what is locked a version behind a delete marker must still be found after its lock has ended.
        rules.insert(
            0,
            s3.LifecycleRule(
                id="forget-noncurrent-versions",
                noncurrent_version_expiration=Duration.days(NONCURRENT_VERSION_DAYS),
            ),
        )
    return rules


def _limit_drops(bucket: s3.Bucket) -> None:
    """Let nobody write outside the tenants' prefixes, and a principal tagged with a tenant nowhere but in its own.

    Whoever may drop files for one tenant is a role tagged `tessera:tenant`: the key names the tenant, so the key is
    what must be limited, whatever else the role's own policy allows.
    """
    bucket.add_to_resource_policy(
        iam.PolicyStatement(
            sid="NothingOutsideTheTenants",
            effect=iam.Effect.DENY,
            principals=[iam.AnyPrincipal()],
            actions=["s3:PutObject"],
            not_resources=[bucket.arn_for_objects(f"{TENANTS_PREFIX}*")],
        )
    )
    bucket.add_to_resource_policy(
        iam.PolicyStatement(
            sid="TenantsStayWithThemselves",
            effect=iam.Effect.DENY,
            principals=[iam.AnyPrincipal()],
            actions=[*UPLOADS.get.actions_within, *UPLOADS.put.actions_within, *UPLOADS.purge.actions_within],
            not_resources=[bucket.arn_for_objects(f"{TENANTS_PREFIX}${{aws:PrincipalTag/{TENANT_TAG}}}/*")],
            conditions={"Null": {f"aws:PrincipalTag/{TENANT_TAG}": "false"}},
        )
    )
