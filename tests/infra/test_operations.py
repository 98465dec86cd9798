"""Each function is exactly what its operation declares: role, environment, trigger, alarms, logs."""

import re
from collections.abc import Iterable
from operator import attrgetter
from typing import Any

import pytest

from infra_cdk.constructs.operation_function import ASSUME, NETWORK_INTERFACES, OWN_LOGS, TRACING
from infra_cdk.constructs.triggers import READ_STREAM
from infra_cdk.settings import LOCAL_COLD_START_S
from shared.operations.capabilities import (
    EMBEDDER,
    INTERNET,
    PARSER,
    QUERY,
    Bucket,
    Cache,
    Capability,
    DatabaseOwner,
    Secret,
    Table,
)
from shared.operations.declaration import (
    AuthorizerTrigger,
    HttpTrigger,
    Operation,
    QueueTrigger,
    ScheduleTrigger,
    StreamTrigger,
)
from shared.operations.registry import all_operations
from shared.operations.tenant_policies import TENANT_ROLE, reaches_tenant_data
from tests.infra.templates import Resource, Templates

OPERATIONS = all_operations()

each_operation = pytest.mark.parametrize("operation", OPERATIONS, ids=attrgetter("id"))
each_route = pytest.mark.parametrize(
    "operation", [one for one in OPERATIONS if isinstance(one.trigger, HttpTrigger)], ids=attrgetter("id")
)
each_consumer = pytest.mark.parametrize(
    "operation", [one for one in OPERATIONS if isinstance(one.trigger, QueueTrigger)], ids=attrgetter("id")
)


def function_of(templates: Templates, operation: Operation) -> Resource:
    name = f"tessera-{templates.environment}-{operation.id}"
    (found,) = [one for one in templates.all("AWS::Lambda::Function") if one.properties["FunctionName"] == name]
    return found


def role_of(templates: Templates, function: Resource) -> Resource:
    logical_id = function.properties["Role"]["Fn::GetAtt"][0]
    (found,) = [
        one for one in templates.all("AWS::IAM::Role") if (one.stack, one.logical_id) == (function.stack, logical_id)
    ]
    return found


def statements(role: Resource) -> list[dict[str, Any]]:
    return [one for policy in role.properties["Policies"] for one in policy["PolicyDocument"]["Statement"]]


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def granted(templates: Templates, role: Resource) -> set[tuple[str, str]]:
    """Return every (action, resource) that a role allows."""
    return {
        (action, templates.resolve(role.stack, resource))
        for statement in statements(role)
        if statement["Effect"] == "Allow"
        for action in as_list(statement["Action"])
        for resource in as_list(statement["Resource"])
    }


Use = tuple[str, str]
"""An action, and what follows a resource's ARN where it is allowed."""


def uses_of_indexes(capability: Capability, *, in_session: bool) -> list[Use]:
    """Return how the indexes of a table are read, for one tenant in its session or for several without one."""
    resource = capability.resource
    return [
        (action, f"/index/{index.name}")
        for index in (resource.indexes if isinstance(resource, Table) else ())
        for action in capability.actions_within
        if (index.leads_with_tenant and action == QUERY) == in_session
    ]


def own_uses(capability: Capability) -> list[Use]:
    """Return what a function may do without a session for a tenant."""
    match capability.resource:
        case Bucket():
            return []
        case Table():
            own = capability.actions if capability.partitions else ()
            return [*((action, "") for action in own), *uses_of_indexes(capability, in_session=False)]
    within = [(action, r"/\*") for action in capability.actions_within]
    return [*((action, "") for action in capability.actions), *within]


def session_uses(capability: Capability) -> list[Use]:
    """Return what the role may do that is assumed for one tenant at a time."""
    match capability.resource:
        case Bucket():
            within = [(action, re.escape("/t/*/*")) for action in capability.actions_within]
        case Table():
            within = uses_of_indexes(capability, in_session=True)
        case _:
            return []
    return [*((action, "") for action in capability.actions), *within]


def addresses_of(capability: Capability) -> int:
    """A connection to the cache is allowed on the cache and on its user; all else is one thing."""
    return 2 if isinstance(capability.resource, Cache) else 1


def address_pattern(templates: Templates, capability: Capability) -> str:
    """Return what the ARN of a capability's resource looks like when resolved."""
    environment, name = templates.environment, capability.resource.name
    attribute = "Ref" if isinstance(capability.resource, Secret) else "Arn"
    built = f"Tessera-{environment}-relational.Cluster"
    words = "".join(word.capitalize() for word in name.split("-"))
    return (
        rf"arn:aws:(s3:::tessera-{environment}-{name}-<AWS::AccountId>-[a-z0-9-]+"
        rf"|es:[a-z0-9-]+:<AWS::AccountId>:domain/tessera-{environment}-{name}"
        rf"|elasticache:[a-z0-9-]+:<AWS::AccountId>:(serverlesscache|user):tessera-{environment}-{name}"
        rf"|rds-db:[a-z0-9-]+:<AWS::AccountId>:dbuser:({built}\.DBClusterResourceId|tessera-{environment}-database)/tessera_app"
        rf"|secretsmanager:[a-z0-9-]+:<AWS::AccountId>:secret:tessera-{environment}-database)"
        rf"|{built}\.MasterUserSecret\.SecretArn"
        rf"|Tessera-{environment}-(data|messaging)\.{words}[0-9A-F]{{8}}\.{attribute}"
    )


def tenant_role_of(templates: Templates, operation: Operation) -> Resource | None:
    """Return the role that a function assumes for one tenant at a time, None when it needs none."""
    function = function_of(templates, operation)
    arn = function.properties["Environment"]["Variables"].get(TENANT_ROLE)
    if arn is None:
        return None
    name = templates.resolve(function.stack, arn).rpartition("/")[2]
    (found,) = [one for one in templates.all("AWS::IAM::Role") if one.properties.get("RoleName") == name]
    return found


@each_operation
def test_role_may_do_exactly_what_is_declared(templates: Templates, operation: Operation) -> None:
    function = function_of(templates, operation)
    role = role_of(templates, function)
    in_vpc = "VpcConfig" in function.properties
    allowed = granted(templates, role)

    own_logs = f"{function.stack}.{function.properties['LoggingConfig']['LogGroup']['Ref']}.Arn"
    expected = {(action, own_logs) for action in OWN_LOGS} | {(action, "*") for action in TRACING}
    if in_vpc:
        expected |= {(action, "*") for action in NETWORK_INTERFACES}
    if TENANT_ROLE in function.properties["Environment"]["Variables"]:
        assumed = function.properties["Environment"]["Variables"][TENANT_ROLE]
        expected |= {(ASSUME, templates.resolve(function.stack, assumed))}
    assert expected <= allowed

    rest = allowed - expected
    for capability in operation.capabilities:
        pattern = address_pattern(templates, capability)
        for action, suffix in own_uses(capability):
            matching = {
                (one, address)
                for one, address in allowed
                if one == action and re.fullmatch(f"({pattern}){suffix}", str(address))
            }
            assert len(matching) == addresses_of(capability), (
                f"{action} on {capability.resource.name} is granted {len(matching)} times"
            )
            rest -= matching
    assert {action for action, _ in rest} <= (
        {*READ_STREAM, "sqs:SendMessage"} if isinstance(operation.trigger, StreamTrigger) else set()
    )


@each_operation
def test_tenants_are_reached_through_a_role_of_their_own_and_exactly_as_declared(
    templates: Templates, operation: Operation
) -> None:
    declared = [use for use in operation.capabilities if isinstance(use.resource, Table | Bucket)]
    role = tenant_role_of(templates, operation)
    if role is None:
        assert not any(use.partitions == () and session_uses(use) for use in declared)
        return

    allowed = granted(templates, role)
    expected = set()
    for use in declared:
        pattern = address_pattern(templates, use)
        for action, suffix in session_uses(use):
            matching = {
                (one, address)
                for one, address in allowed
                if one == action and re.fullmatch(f"({pattern}){suffix}", str(address))
            }
            assert len(matching) == 1, f"{action} on {use.resource.name} is granted {len(matching)} times"
            expected |= matching
    assert allowed == expected


def test_tables_are_reached_by_partition_and_buckets_listed_by_prefix(templates: Templates) -> None:
    for operation in OPERATIONS:
        own, of_tenants = role_of(templates, function_of(templates, operation)), tenant_role_of(templates, operation)
        found = [(role, one) for role in (own, of_tenants) if role is not None for one in statements(role)]
        for role, statement in found:
            condition = statement.get("Condition", {})
            actions = as_list(statement["Action"])
            reads_index = all("/index/" in str(one) for one in as_list(statement["Resource"]))
            on_items = {action for action in actions if action.startswith("dynamodb:")} - set(READ_STREAM)
            if on_items and (role is of_tenants or not reads_index):
                assert condition["Null"] == {"dynamodb:LeadingKeys": "false"}
                assert condition["ForAllValues:StringLike"]["dynamodb:LeadingKeys"]
            if {"s3:ListBucket", "s3:ListBucketVersions"} & set(actions):
                assert condition == {"StringLike": {"s3:prefix": ["t/*/*"]}}


def test_the_role_for_tenants_is_assumed_by_its_own_function_alone(templates: Templates) -> None:
    for operation in OPERATIONS:
        role = tenant_role_of(templates, operation)
        if role is None:
            continue
        own = role_of(templates, function_of(templates, operation))
        (trust,) = role.properties["AssumeRolePolicyDocument"]["Statement"]

        assert trust["Principal"] == {"AWS": {"Fn::GetAtt": [own.logical_id, "Arn"]}}
        assert (trust["Effect"], trust["Action"]) == ("Allow", ASSUME)
        assert role.properties["MaxSessionDuration"] == 3_600
        assert len(role.properties["RoleName"]) <= 64


def test_no_role_has_a_wildcard_action_or_a_managed_policy(templates: Templates) -> None:
    for role in templates.all("AWS::IAM::Role"):
        assert "ManagedPolicyArns" not in role.properties
        for statement in statements(role) if "Policies" in role.properties else []:
            assert not [action for action in as_list(statement["Action"]) if "*" in action]


def test_only_tracing_and_network_interfaces_have_no_resource(templates: Templates) -> None:
    for function in templates.all("AWS::Lambda::Function"):
        allowed = granted(templates, role_of(templates, function))

        assert {action for action, resource in allowed if resource == "*"} <= {*TRACING, *NETWORK_INTERFACES}


def test_roles_are_assumed_by_services_only_but_those_for_tenants(templates: Templates) -> None:
    for_tenants = {
        (role.stack, role.logical_id) for one in OPERATIONS if (role := tenant_role_of(templates, one)) is not None
    }
    for role in templates.all("AWS::IAM::Role"):
        if (role.stack, role.logical_id) in for_tenants:
            continue
        for statement in role.properties["AssumeRolePolicyDocument"]["Statement"]:
            assert statement["Principal"].keys() == {"Service"}


def test_every_operation_has_one_function_and_no_function_has_none(templates: Templates) -> None:
    serves = [
        one.properties["Environment"]["Variables"]["TESSERA_OPERATION"]
        for one in templates.all("AWS::Lambda::Function")
    ]

    assert sorted(serves) == sorted(f"{one.area}.{one.id}" for one in OPERATIONS)


@each_operation
def test_environment_holds_exactly_the_declared_addresses(templates: Templates, operation: Operation) -> None:
    variables = function_of(templates, operation).properties["Environment"]["Variables"]

    assert variables.keys() == {
        "TESSERA_ENVIRONMENT",
        "TESSERA_OPERATION",
        *([TENANT_ROLE] if reaches_tenant_data(operation.capabilities) else []),
        *provided(templates, operation.capabilities),
    }
    assert variables["TESSERA_OPERATION"] == f"{operation.area}.{operation.id}"


def provided(templates: Templates, capabilities: Iterable[Capability]) -> set[str]:
    """The parser and the internet need no address, and the local cloud's launcher says where the model is."""
    silent = {PARSER.resource.variable, INTERNET.resource.variable}
    if templates.environment == "local":
        silent.add(EMBEDDER.resource.variable)
    more = {use.resource.server_variable for use in capabilities if isinstance(use.resource, DatabaseOwner)}
    return {use.resource.variable for use in capabilities} - silent | more


@each_operation
def test_function_has_memory_timeout_tracing_and_the_common_entry(templates: Templates, operation: Operation) -> None:
    properties = function_of(templates, operation).properties

    assert properties["Handler"] == "shared.composition.entry.handler"
    timeout_s = operation.timeout_s + (LOCAL_COLD_START_S if templates.environment == "local" else 0)
    assert (properties["MemorySize"], properties["Timeout"]) == (operation.memory_mb, timeout_s)
    assert properties["TracingConfig"] == {"Mode": "Active"}
    assert (properties["Runtime"], properties["Architectures"]) == ("python3.13", ["arm64"])
    assert len(properties["FunctionName"]) <= 64
    assert "ReservedConcurrentExecutions" not in properties


@each_operation
def test_logs_are_kept_as_long_as_the_settings_say(templates: Templates, operation: Operation) -> None:
    function = function_of(templates, operation)
    group = templates.by_stack[function.stack]["Resources"][function.properties["LoggingConfig"]["LogGroup"]["Ref"]]

    assert group["Properties"]["RetentionInDays"] == {"local": 3, "dev": 30, "prod": 365}[templates.environment]
    assert group["Properties"]["LogGroupName"] == f"/aws/lambda/{function.properties['FunctionName']}"


@each_operation
def test_alarms_watch_errors_throttles_and_duration(templates: Templates, operation: Operation) -> None:
    function = function_of(templates, operation)
    mine = {"FunctionName": {"Ref": function.logical_id}}

    watched = set()
    for alarm in templates.all("AWS::CloudWatch::Alarm"):
        metrics = [
            query["MetricStat"]["Metric"] for query in alarm.properties.get("Metrics", []) if "MetricStat" in query
        ]
        for metric in metrics or [alarm.properties]:
            dimensions = {one["Name"]: one["Value"] for one in metric.get("Dimensions", [])}
            if alarm.stack == function.stack and dimensions == mine:
                watched.add(metric["MetricName"])
                if metric["MetricName"] == "Duration":
                    assert alarm.properties["Threshold"] < operation.timeout_s * 1_000

    assert watched >= {"Errors", "Throttles", "Duration"}


@each_route
def test_route_targets_its_own_function_behind_the_authorizer(templates: Templates, operation: Operation) -> None:
    trigger = operation.trigger
    assert isinstance(trigger, HttpTrigger)
    (route,) = [one for one in templates.all("AWS::ApiGatewayV2::Route") if one.properties["RouteKey"] == trigger.route]
    resources = templates.by_stack[route.stack]["Resources"]

    integration = resources[route.properties["Target"]["Fn::Join"][1][1]["Ref"]]
    target = uri_function(resources, integration["Properties"]["IntegrationUri"])

    assert target == function_of(templates, operation).logical_id
    kind = "NONE" if trigger.permission is None else "CUSTOM"
    assert route.properties["AuthorizationType"] == kind
    assert ("AuthorizerId" in route.properties) == (kind == "CUSTOM")


def uri_function(resources: dict[str, Any], uri: Any) -> str:
    """Return the logical id of the function that an integration calls, through its alias where it has one."""
    logical_id: str = uri["Ref"] if "Ref" in uri else uri["Fn::GetAtt"][0]
    if resources[logical_id]["Type"] == "AWS::Lambda::Alias":
        return str(resources[logical_id]["Properties"]["FunctionName"]["Ref"])
    return logical_id


def test_no_route_is_undeclared(templates: Templates) -> None:
    declared = {one.trigger.route for one in OPERATIONS if isinstance(one.trigger, HttpTrigger)}

    assert {one.properties["RouteKey"] for one in templates.all("AWS::ApiGatewayV2::Route")} == declared


def test_snapshots_start_only_what_a_person_waits_for(prod: Templates) -> None:
    for operation in OPERATIONS:
        starts = "SnapStart" in function_of(prod, operation).properties

        assert starts == isinstance(operation.trigger, HttpTrigger | AuthorizerTrigger)


@each_consumer
def test_consumer_reads_its_queue_and_gives_records_back_alone(templates: Templates, operation: Operation) -> None:
    trigger = operation.trigger
    assert isinstance(trigger, QueueTrigger)
    function = function_of(templates, operation)
    (mapping,) = [
        one
        for one in templates.all("AWS::Lambda::EventSourceMapping")
        if (one.stack, one.properties["FunctionName"]) == (function.stack, {"Ref": function.logical_id})
    ]

    source = templates.resolve(mapping.stack, mapping.properties["EventSourceArn"])
    assert re.fullmatch(address_pattern(templates, trigger.queue.receive), source)
    assert mapping.properties["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping.properties["BatchSize"] == trigger.batch_size
    assert mapping.properties["ScalingConfig"] == {"MaximumConcurrency": trigger.max_concurrency}


def test_schedules_run_as_declared(templates: Templates) -> None:
    declared = {one.id: one.trigger.every_minutes for one in OPERATIONS if isinstance(one.trigger, ScheduleTrigger)}

    rules = {
        one.properties["Description"]: one.properties["ScheduleExpression"]
        for one in templates.all("AWS::Events::Rule")
    }

    assert rules == {
        f"Runs {name}.": {1: "rate(1 minute)", 1_440: "rate(1 day)"}.get(minutes, f"rate({minutes} minutes)")
        for name, minutes in declared.items()
    }


def test_functions_that_reach_something_private_live_in_the_vpc(prod: Templates) -> None:
    for operation in OPERATIONS:
        in_vpc = "VpcConfig" in function_of(prod, operation).properties

        assert in_vpc == any(use.needs_vpc for use in operation.capabilities)
