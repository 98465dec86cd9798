"""What stands under the functions: data that is kept, queues that lose nothing, stacks with room."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from shared.operations.capabilities import RESOURCES, Bucket, EncryptionKey, Queue, Secret, Table
from shared.operations.declaration import QueueTrigger
from shared.operations.registry import all_operations
from tests.infra.templates import ROOT, Resource, Templates, context_of

ROOM = 400
"""CloudFormation refuses 501 resources; a stack that grows beyond this is split in time."""

KEEPS = (
    "AWS::S3::Bucket",
    "AWS::DynamoDB::GlobalTable",
    "AWS::KMS::Key",
    "AWS::OpenSearchService::Domain",
    "AWS::SQS::Queue",
    "AWS::SecretsManager::Secret",
)


def named(templates: Templates, kind: str, resource_name: str) -> Resource:
    """Return the resource of `kind` that stands for a declared one."""
    words = "".join(word.capitalize() for word in resource_name.split("-"))
    (found,) = [one for one in templates.all(kind) if one.logical_id[:-8] == words]
    return found


def data_buckets(templates: Templates) -> list[Resource]:
    return [named(templates, "AWS::S3::Bucket", one.name) for one in RESOURCES if isinstance(one, Bucket)]


def test_no_stack_is_near_the_limit_of_resources(templates: Templates) -> None:
    sizes = {name: len(template["Resources"]) for name, template in templates.by_stack.items()}

    assert {name: size for name, size in sizes.items() if size >= ROOM} == {}


def test_prod_keeps_data_when_it_is_destroyed(prod: Templates) -> None:
    kept = [one for kind in KEEPS for one in prod.all(kind)]

    assert {one.body["DeletionPolicy"] for one in kept} == {"Retain"}
    assert {one.body["UpdateReplacePolicy"] for one in kept} == {"Retain"}


def test_prod_tables_refuse_deletion(prod: Templates) -> None:
    for table in prod.all("AWS::DynamoDB::GlobalTable"):
        assert table.properties["Replicas"][0]["DeletionProtectionEnabled"] is True


def test_buckets_are_private_versioned_encrypted_and_speak_tls_only(templates: Templates) -> None:
    for bucket in data_buckets(templates):
        assert set(bucket.properties["PublicAccessBlockConfiguration"].values()) == {True}
        assert bucket.properties["VersioningConfiguration"] == {"Status": "Enabled"}
        (rule,) = bucket.properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
        denied = [
            statement.get("Condition")
            for policy in templates.all("AWS::S3::BucketPolicy")
            if policy.properties["Bucket"] == {"Ref": bucket.logical_id}
            for statement in policy.properties["PolicyDocument"]["Statement"]
            if statement["Effect"] == "Deny"
        ]
        assert {"Bool": {"aws:SecureTransport": "false"}} in denied


def test_lifecycle_touches_noncurrent_versions_and_incomplete_uploads_only(templates: Templates) -> None:
    for bucket in templates.all("AWS::S3::Bucket"):
        for rule in bucket.properties.get("LifecycleConfiguration", {}).get("Rules", []):
            assert rule.keys() - {"Id", "Status"} <= {"NoncurrentVersionExpiration", "AbortIncompleteMultipartUpload"}


def test_archive_is_locked_where_data_is_kept_and_forgets_no_version(templates: Templates) -> None:
    for declared in RESOURCES:
        if not isinstance(declared, Bucket):
            continue
        properties = named(templates, "AWS::S3::Bucket", declared.name).properties
        locked = declared.is_locked and templates.environment == "prod"

        assert properties.get("ObjectLockEnabled", False) is locked
        if locked:
            retention = properties["ObjectLockConfiguration"]["Rule"]["DefaultRetention"]
            assert retention == {"Mode": "COMPLIANCE", "Days": 400}
        forgets = "NoncurrentVersionExpiration" in str(properties["LifecycleConfiguration"])
        assert forgets is not declared.is_locked


def test_tables_recover_to_a_point_in_time_under_our_key_and_forget_what_expired(templates: Templates) -> None:
    declared = [one for one in RESOURCES if isinstance(one, Table)]
    assert len(templates.all("AWS::DynamoDB::GlobalTable")) == len(declared)
    for table in declared:
        properties = named(templates, "AWS::DynamoDB::GlobalTable", table.name).properties
        replica = properties["Replicas"][0]

        assert replica["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True
        assert properties["SSESpecification"] == {"SSEEnabled": True, "SSEType": "KMS"}
        assert "Fn::GetAtt" in replica["SSESpecification"]["KMSMasterKeyId"]
        assert properties["TimeToLiveSpecification"] == {"AttributeName": table.time_to_live, "Enabled": True}
        assert [one["AttributeName"] for one in properties["KeySchema"]] == [table.partition_key, table.sort_key]
        assert [one["IndexName"] for one in properties.get("GlobalSecondaryIndexes", [])] == [
            index.name for index in table.indexes
        ]


def test_keys_rotate_every_ninety_days(templates: Templates) -> None:
    for key in templates.all("AWS::KMS::Key"):
        assert (key.properties["EnableKeyRotation"], key.properties["RotationPeriodInDays"]) == (True, 90)


def data_key(templates: Templates) -> Resource:
    """The key of what the services encrypt for us; keys that functions use themselves are declared resources."""
    (found,) = [
        one for one in templates.all("AWS::KMS::Key") if one.logical_id[:-8] == "Key" and one.stack.endswith("-data")
    ]
    return found


@pytest.mark.parametrize(
    "secret", [one for one in RESOURCES if isinstance(one, Secret)], ids=lambda secret: secret.name
)
def test_secret_is_encrypted_by_our_key_and_says_nothing_in_the_template(templates: Templates, secret: Secret) -> None:
    properties = named(templates, "AWS::SecretsManager::Secret", secret.name).properties

    assert properties["KmsKeyId"] == {"Fn::GetAtt": [data_key(templates).logical_id, "Arn"]}
    # Another value would be written over the real one by the next deployment.
    assert properties["SecretString"] == "{}"
    assert "GenerateSecretString" not in properties


@pytest.mark.parametrize("key", [one for one in RESOURCES if isinstance(one, EncryptionKey)], ids=lambda key: key.name)
def test_key_of_functions_is_opened_by_their_roles_alone(templates: Templates, key: EncryptionKey) -> None:
    statements = named(templates, "AWS::KMS::Key", key.name).properties["KeyPolicy"]["Statement"]

    allowed = [one for one in statements if one["Effect"] == "Allow"]
    assert [one["Action"] for one in allowed] == ["kms:*"]
    assert ":root" in str(allowed[0]["Principal"])
    (denied,) = [one for one in statements if one["Effect"] == "Deny"]
    assert set(denied["Action"]) == {"kms:Encrypt", "kms:Decrypt"}
    assert denied["Condition"] == {"Null": {"kms:EncryptionContext:tenant": "true"}}


def test_cache_stands_in_prod_alone_and_is_entered_by_roles_over_tls(templates: Templates) -> None:
    caches = templates.all("AWS::ElastiCache::ServerlessCache")
    assert len(caches) == (1 if templates.environment == "prod" else 0)

    for cache in caches:
        (user,) = templates.all("AWS::ElastiCache::User")
        (group,) = templates.all("AWS::ElastiCache::UserGroup")
        (door,) = [one for one in templates.all("AWS::EC2::SecurityGroup") if one.stack == cache.stack]
        (entry,) = [one for one in templates.all("AWS::EC2::SecurityGroupIngress") if one.stack == cache.stack]
        assert user.properties["AuthenticationMode"] == {"Type": "iam"}
        assert user.properties["UserId"] == user.properties["UserName"]
        assert group.properties["UserIds"] == [{"Ref": user.logical_id}]
        assert cache.properties["UserGroupId"] == {"Ref": group.logical_id}
        assert cache.properties["SecurityGroupIds"] == [{"Fn::GetAtt": [door.logical_id, "GroupId"]}]
        assert (entry.properties["FromPort"], entry.properties["ToPort"]) == (6379, 6379)
        assert "SourceSecurityGroupId" in entry.properties


def test_key_is_open_to_the_account_through_its_services_only(templates: Templates) -> None:
    key = data_key(templates)
    (statement,) = [one for one in key.properties["KeyPolicy"]["Statement"] if one["Principal"] == {"AWS": "*"}]

    assert statement["Condition"]["StringEquals"].keys() == {"kms:CallerAccount", "kms:ViaService"}


@pytest.mark.parametrize("queue", [one for one in RESOURCES if isinstance(one, Queue)], ids=lambda queue: queue.name)
def test_queue_hides_long_enough_and_gives_up_into_its_dead_letters(templates: Templates, queue: Queue) -> None:
    properties = named(templates, "AWS::SQS::Queue", queue.name).properties
    timeouts = [
        one.timeout_s
        for one in all_operations()
        if isinstance(one.trigger, QueueTrigger) and one.trigger.queue == queue
    ]

    assert properties["VisibilityTimeout"] >= 6 * max(timeouts, default=1)
    assert properties["RedrivePolicy"]["maxReceiveCount"] == 5
    dead_letters = named(templates, "AWS::SQS::Queue", f"{queue.name}-dead-letters")
    assert properties["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0] == dead_letters.logical_id
    assert dead_letters.properties["MessageRetentionPeriod"] == 14 * 24 * 3_600


@pytest.mark.parametrize("queue", [one for one in RESOURCES if isinstance(one, Queue)], ids=lambda queue: queue.name)
def test_queue_is_watched(templates: Templates, queue: Queue) -> None:
    watched = {
        (one.properties["MetricName"], one.properties["Dimensions"][0]["Value"]["Fn::GetAtt"][0])
        for one in templates.all("AWS::CloudWatch::Alarm")
        if one.properties.get("Namespace") == "AWS/SQS"
    }

    main = named(templates, "AWS::SQS::Queue", queue.name).logical_id
    dead_letters = named(templates, "AWS::SQS::Queue", f"{queue.name}-dead-letters").logical_id
    assert ("ApproximateAgeOfOldestMessage", main) in watched
    assert ("ApproximateNumberOfMessagesVisible", dead_letters) in watched


def test_object_events_go_to_the_declared_queue_and_no_other_bucket_may_send_there(templates: Templates) -> None:
    for queue in RESOURCES:
        if not isinstance(queue, Queue) or queue.fed_by is None:
            continue
        bucket = named(templates, "AWS::S3::Bucket", queue.fed_by.name)
        sends = bucket.properties["NotificationConfiguration"]["QueueConfigurations"]
        main = named(templates, "AWS::SQS::Queue", queue.name)

        targets = {templates.resolve(bucket.stack, one["Queue"]) for one in sends}
        assert targets == {f"{main.stack}.{main.logical_id}.Arn"}
        assert {one["Event"] for one in sends} == {"s3:ObjectCreated:*", "s3:ObjectRemoved:*"}

        name = templates.resolve(bucket.stack, bucket.properties["BucketName"])
        sources = [
            templates.resolve(policy.stack, statement["Condition"]["ArnEquals"]["aws:SourceArn"])
            for policy in templates.all("AWS::SQS::QueuePolicy")
            for statement in policy.properties["PolicyDocument"]["Statement"]
            if statement["Effect"] == "Allow" and policy.properties["Queues"] == [{"Ref": main.logical_id}]
        ]
        assert sources == [f"arn:aws:s3:::{name}"]


def test_drops_stay_inside_the_tenant_that_the_principal_is_tagged_with(templates: Templates) -> None:
    bucket = named(templates, "AWS::S3::Bucket", "uploads")
    (policy,) = [
        one for one in templates.all("AWS::S3::BucketPolicy") if one.properties["Bucket"] == {"Ref": bucket.logical_id}
    ]
    arn = f"{bucket.stack}.{bucket.logical_id}.Arn"

    limits = {
        statement["Sid"]: (statement["Effect"], templates.resolve(policy.stack, statement["NotResource"]))
        for statement in policy.properties["PolicyDocument"]["Statement"]
        if "NotResource" in statement
    }

    assert limits == {
        "NothingOutsideTheTenants": ("Deny", f"{arn}/t/*"),
        "TenantsStayWithThemselves": ("Deny", f"{arn}/t/${{aws:PrincipalTag/tessera:tenant}}/*"),
    }


def test_api_is_throttled_and_logged(templates: Templates) -> None:
    (stage,) = templates.all("AWS::ApiGatewayV2::Stage")

    assert stage.properties["DefaultRouteSettings"].keys() >= {"ThrottlingBurstLimit", "ThrottlingRateLimit"}
    assert "tenant" in json.loads(stage.properties["AccessLogSettings"]["Format"])


def test_api_alarms_when_it_is_slow_and_when_it_fails(templates: Templates) -> None:
    (stage,) = templates.all("AWS::ApiGatewayV2::Stage")

    alarms = {
        one.properties["MetricName"]: (one.properties["Threshold"], one.stack)
        for one in templates.all("AWS::CloudWatch::Alarm")
        if one.properties.get("Namespace") == "AWS/ApiGateway"
    }

    assert alarms == {"Latency": (2_000, stage.stack), "5xx": (0.05, stage.stack)}


def test_browsers_may_read_what_tells_a_caller_to_wait(templates: Templates) -> None:
    (api,) = templates.all("AWS::ApiGatewayV2::Api")
    cors = api.properties.get("CorsConfiguration")

    assert (cors is None) == (templates.environment != "local")
    if cors is not None:
        assert "*" not in cors["AllowOrigins"]
        assert set(cors["AllowHeaders"]) == {"authorization", "content-type", "idempotency-key"}
        assert set(cors["ExposeHeaders"]) >= {"ratelimit-limit", "ratelimit-remaining", "retry-after", "x-request-id"}


def test_authorizer_answer_is_kept_half_a_minute_at_most(templates: Templates) -> None:
    (authorizer,) = templates.all("AWS::ApiGatewayV2::Authorizer")

    # What is revoked is refused within a minute: this much, and as much again in the process that answers.
    assert authorizer.properties["AuthorizerResultTtlInSeconds"] <= 30
    assert authorizer.properties["EnableSimpleResponses"] is True


def test_search_domain_is_private_in_prod_and_asks_for_signed_requests_everywhere(
    prod: Templates, templates: Templates
) -> None:
    (domain,) = prod.all("AWS::OpenSearchService::Domain")
    assert "VPCOptions" in domain.properties

    for one in templates.all("AWS::OpenSearchService::Domain"):
        (statement,) = one.properties["AccessPolicies"]["Statement"]
        assert str(statement["Principal"]["AWS"]).count("root") == 1
        assert one.properties["DomainEndpointOptions"]["EnforceHTTPS"] is True


def test_local_cloud_brings_its_own_search(templates: Templates) -> None:
    built = templates.all("AWS::OpenSearchService::Domain")

    assert bool(built) == (templates.environment != "local")


def test_nothing_of_the_cdk_runs_in_the_account(templates: Templates) -> None:
    kinds = {
        resource["Type"] for template in templates.by_stack.values() for resource in template["Resources"].values()
    }

    assert not [kind for kind in kinds if kind.startswith("Custom::") or kind == "AWS::CloudFormation::CustomResource"]


def test_local_cloud_finds_its_outputs(templates: Templates) -> None:
    outputs = {name for template in templates.by_stack.values() for name in template.get("Outputs", {})}

    assert outputs >= {"ApiId", "ApiUrl", "UploadsBucket", "ArtifactsBucket", "MetadataTable", "AcceptQueueUrl"}


def test_another_process_writes_the_same_templates(prod: Templates, tmp_path: Path) -> None:
    variables = {
        **os.environ,
        "CDK_OUTDIR": str(tmp_path),
        "CDK_CONTEXT_JSON": json.dumps(context_of("prod")),
        "PYTHONHASHSEED": "1",
    }

    subprocess.run([sys.executable, "-m", "infra_cdk.app"], cwd=ROOT, env=variables, check=True, capture_output=True)

    again: Any = Templates.read("prod", tmp_path)
    assert again.by_stack == prod.by_stack
