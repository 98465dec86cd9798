"""What the stacks make of declarations that are new to them, and what they refuse."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from infra_cdk.wheels import PackageError
from shared.identity.permissions import Permission
from shared.operations.capabilities import (
    CACHE,
    CREDENTIALS_KEY,
    EMBEDDER,
    EVENTS,
    INDEX_QUEUE,
    INTERNET,
    LIMITS,
    METADATA,
    PARSE_QUEUE,
    PARSER,
    SIGNING_KEYS,
    TOKEN_AUDIENCE,
    TOKEN_ISSUER,
    VECTORS,
)
from shared.operations.declaration import (
    AuthorizerTrigger,
    CommandTrigger,
    HttpTrigger,
    Operation,
    QueueTrigger,
    RateClass,
    ScheduleTrigger,
    StreamTrigger,
)
from tests.infra.samples import sample
from tests.infra.templates import Resource, Templates, context_of

Build = Callable[..., Templates]

AUTHORIZER = sample("authorize_sample", AuthorizerTrigger(), [TOKEN_ISSUER, TOKEN_AUDIENCE])
ENDPOINT = "AWS::EC2::VPCEndpoint"
GUARDED = HttpTrigger("GET", "/samples", next(iter(Permission)), RateClass.READ)


@pytest.fixture
def build(tmp_path: Path) -> Build:
    """Return a function that synthesizes an environment with the given operations."""
    from aws_cdk import App

    from infra_cdk.environment import build_environment
    from infra_cdk.settings import settings_from

    def synthesize(
        environment: str, *operations: Operation, spoil: Callable[[App], None] | None = None, **context: Any
    ) -> Templates:
        app = App(context=context_of(environment, **context), analytics_reporting=False, outdir=str(tmp_path))
        build_environment(app, settings_from(app.node.try_get_context), operations)
        if spoil is not None:
            spoil(app)
        app.synth()
        return Templates.read(environment, tmp_path)

    return synthesize


def test_stream_brings_the_table_a_stream_and_its_failures_a_queue(build: Build) -> None:
    follower = sample("follow_changes", StreamTrigger(METADATA, batch_size=25), [EVENTS.publish])

    templates = build("dev", follower)

    (mapping,) = templates.all("AWS::Lambda::EventSourceMapping")
    source = templates.resolve(mapping.stack, mapping.properties["EventSourceArn"])
    assert source.startswith("Tessera-dev-data.Metadata")
    assert source.endswith(".StreamArn")
    assert (mapping.properties["BatchSize"], mapping.properties["BisectBatchOnFunctionError"]) == (25, True)
    (failures,) = [one for one in templates.all("AWS::SQS::Queue") if "Failures" in one.logical_id]
    assert mapping.properties["DestinationConfig"] == {
        "OnFailure": {"Destination": {"Fn::GetAtt": [failures.logical_id, "Arn"]}}
    }


def test_table_without_followers_has_no_stream(build: Build) -> None:
    (table, *_) = build("dev").all("AWS::DynamoDB::GlobalTable")

    assert "StreamSpecification" not in table.properties


@pytest.mark.parametrize(("minutes", "expected"), [(1, "rate(1 minute)"), (15, "rate(15 minutes)")])
def test_schedule_runs_as_often_as_declared(build: Build, minutes: int, expected: str) -> None:
    templates = build("dev", sample("tidy_samples", ScheduleTrigger(minutes)))

    (rule,) = templates.all("AWS::Events::Rule")
    assert rule.properties["ScheduleExpression"] == expected


def test_vpc_has_doors_for_what_its_functions_declare_and_no_others(build: Build) -> None:
    searches = sample("search_samples", ScheduleTrigger(1), [VECTORS.search, METADATA.read, PARSE_QUEUE.send])
    publishes = sample("publish_samples", ScheduleTrigger(1), [EVENTS.publish])

    endpoints = build("prod", searches, publishes).all("AWS::EC2::VPCEndpoint")

    services = {str(one.properties["ServiceName"]) for one in endpoints}
    assert {name for name in ("dynamodb", "s3", "sqs", "events") if any(name in service for service in services)} == {
        "dynamodb",
        "sqs",
    }


def subnets_of(templates: Templates, function: Resource) -> set[str]:
    """Return the kinds of subnets that a function lives in, as their names begin."""
    found = templates.resolve(function.stack, function.properties.get("VpcConfig", {}).get("SubnetIds", []))
    return {one.partition(".Vpc")[2].partition("Subnet")[0] for one in found}


def test_way_out_is_built_for_who_declares_it_and_leaves_the_others_without(build: Build) -> None:
    calls_out = sample("ask_provider", ScheduleTrigger(1), [CACHE.connect, INTERNET])
    stays_in = sample("count_samples", ScheduleTrigger(1), [CACHE.connect])

    templates = build("prod", calls_out, stays_in)

    (out, inside) = sorted(templates.all("AWS::Lambda::Function"), key=lambda one: one.logical_id)
    assert (subnets_of(templates, out), subnets_of(templates, inside)) == ({"WayOut"}, {"Isolated"})
    (gateway,) = templates.all("AWS::EC2::NatGateway")
    routed = {
        str(route.properties["RouteTableId"])
        for route in templates.all("AWS::EC2::Route")
        if route.properties.get("NatGatewayId") == {"Ref": gateway.logical_id}
    }
    assert routed
    assert not [table for table in routed if "Isolated" in table]


def test_nobody_pays_for_a_way_out_that_nobody_declares(build: Build) -> None:
    counts = sample("count_samples", ScheduleTrigger(1), [CACHE.connect])
    calls_out_from_elsewhere = sample("ask_provider", ScheduleTrigger(1), [INTERNET])

    templates = build("prod", counts, calls_out_from_elsewhere)

    assert templates.all("AWS::EC2::NatGateway") == []
    assert templates.all("AWS::EC2::InternetGateway") == []


def test_secrets_and_keys_have_doors_for_functions_without_a_way_out(build: Build) -> None:
    signs_in = sample("sign_in_sample", ScheduleTrigger(1), [CACHE.connect, SIGNING_KEYS.read])
    asks_provider = sample("ask_provider", ScheduleTrigger(1), [CACHE.connect, INTERNET, CREDENTIALS_KEY.open])

    services = [str(one.properties["ServiceName"]) for one in build("prod", signs_in, asks_provider).all(ENDPOINT)]

    assert [name for name in services if "secretsmanager" in name]
    assert not [name for name in services if "kms" in name]


def test_without_a_cache_nothing_is_in_the_vpc_for_its_sake(build: Build) -> None:
    counts = sample("count_samples", GUARDED, [CACHE.connect, LIMITS.read, LIMITS.write])
    searches = sample("search_samples", ScheduleTrigger(1), [VECTORS.search])

    templates = build("prod", counts, searches, AUTHORIZER, cache_capacity="none")

    functions = {one.properties["FunctionName"]: one for one in templates.all("AWS::Lambda::Function")}
    assert "VpcConfig" not in functions["tessera-prod-count_samples"].properties
    assert "VpcConfig" in functions["tessera-prod-search_samples"].properties
    assert functions["tessera-prod-count_samples"].properties["Environment"]["Variables"]["TESSERA_CACHE"] == ""


def test_functions_find_the_cache_and_sign_in_as_its_user(build: Build) -> None:
    templates = build("prod", sample("count_samples", ScheduleTrigger(1), [CACHE.connect]))

    (function,) = templates.all("AWS::Lambda::Function")
    address = templates.resolve(function.stack, function.properties["Environment"]["Variables"]["TESSERA_CACHE"])
    assert address == (
        "rediss://tessera-prod-cache@Tessera-prod-cache.Cache.Endpoint.Address:"
        "Tessera-prod-cache.Cache.Endpoint.Port/?iam=tessera-prod-cache"
    )


def test_existing_cache_is_named_by_roles_as_its_address_says(build: Build) -> None:
    existing = "rediss://company-user@cache.example.com:6379/?iam=company-cache"

    templates = build("prod", sample("count_samples", ScheduleTrigger(1), [CACHE.connect]), cache_endpoint=existing)

    assert templates.all("AWS::ElastiCache::ServerlessCache") == []
    (role,) = [one for one in templates.all("AWS::IAM::Role") if one.stack.endswith("-samples")]
    policies = str(templates.resolve(role.stack, role.properties["Policies"]))
    assert ":serverlesscache:company-cache" in policies
    assert ":user:company-user" in policies


def test_command_has_a_function_with_alarms_and_no_way_to_it_from_outside(build: Build) -> None:
    templates = build("prod", sample("appoint_samples", CommandTrigger()))

    (function,) = templates.all("AWS::Lambda::Function")
    assert "SnapStart" not in function.properties
    for kind in ("AWS::ApiGatewayV2::Route", "AWS::Lambda::Permission", "AWS::Lambda::EventSourceMapping"):
        assert templates.all(kind) == []
    alarms = [one for one in templates.all("AWS::CloudWatch::Alarm") if one.stack == function.stack]
    assert len(alarms) == 3


def test_consumer_in_the_vpc_reaches_its_queue_to_postpone_a_message(build: Build) -> None:
    consumer = sample("index_samples", QueueTrigger(INDEX_QUEUE), [VECTORS.write])

    (endpoint,) = build("prod", consumer).all("AWS::EC2::VPCEndpoint")

    assert "sqs" in str(endpoint.properties["ServiceName"])


def test_existing_domain_needs_neither_ours_nor_a_vpc(build: Build) -> None:
    searches = sample("search_samples", ScheduleTrigger(1), [VECTORS.search])

    templates = build(
        "prod", searches, opensearch_endpoint="https://search.example.com", opensearch_domain_name="company-search"
    )

    assert templates.by_stack.keys().isdisjoint({"Tessera-prod-search", "Tessera-prod-network"})
    (function,) = templates.all("AWS::Lambda::Function")
    assert function.properties["Environment"]["Variables"]["TESSERA_VECTORS"] == "https://search.example.com"
    (role,) = templates.all("AWS::IAM::Role")
    assert ":domain/company-search/*" in str(templates.resolve(role.stack, role.properties["Policies"]))


def test_alarms_reach_the_address_of_the_settings(build: Build) -> None:
    templates = build("prod", sample("tidy_samples", ScheduleTrigger(1)), alarms_email="ops@example.com")

    (topic,) = templates.all("AWS::SNS::Topic")
    (subscription,) = templates.all("AWS::SNS::Subscription")
    assert (subscription.properties["Protocol"], subscription.properties["Endpoint"]) == ("email", "ops@example.com")
    for alarm in templates.all("AWS::CloudWatch::Alarm"):
        assert templates.resolve(alarm.stack, alarm.properties["AlarmActions"]) == [
            f"{topic.stack}.{topic.logical_id}.Ref"
        ]


def test_route_that_needs_a_caller_is_not_deployed_without_an_authorizer(build: Build) -> None:
    with pytest.raises(ValueError, match="no operation is declared as the authorizer"):
        build("dev", sample("list_samples", GUARDED))


def test_authorizer_stands_in_front_of_the_routes_of_all_areas(build: Build) -> None:
    templates = build("dev", sample("list_samples", GUARDED, area="others"), AUTHORIZER)

    (route,) = templates.all("AWS::ApiGatewayV2::Route")
    (authorizer,) = templates.all("AWS::ApiGatewayV2::Authorizer")
    assert templates.resolve(route.stack, route.properties["AuthorizerId"]) == (
        f"{authorizer.stack}.{authorizer.logical_id}.Ref"
    )


def test_folder_may_not_take_the_name_of_a_stack_of_ours(build: Build) -> None:
    with pytest.raises(ValueError, match="functions/data"):
        build("dev", sample("list_samples", ScheduleTrigger(1), area="data"))


def test_parser_and_model_do_not_go_into_one_function(build: Build) -> None:
    with pytest.raises(PackageError, match="TOKENIZER"):
        build("dev", sample("read_and_embed", ScheduleTrigger(1), [PARSER, EMBEDDER]))


def test_synthesis_stops_at_what_the_rules_of_aws_solutions_find(build: Build) -> None:
    from aws_cdk import App, Stack
    from aws_cdk import aws_s3 as s3

    def add_open_bucket(app: App) -> None:
        s3.Bucket(Stack(app, "Careless"), "Open")

    with pytest.raises(RuntimeError, match="ValidationFailed"):
        build("dev", spoil=add_open_bucket)
