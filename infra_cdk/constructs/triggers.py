"""What makes a function run: one piece per kind of trigger."""

from typing import Final

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_apigatewayv2_authorizers as authorizers
from aws_cdk import aws_apigatewayv2_integrations as integrations
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as event_sources
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra_cdk.acknowledgements import acknowledge
from infra_cdk.constructs.alarms import watch_dead_letters
from infra_cdk.constructs.operation_function import OperationFunction, Platform
from infra_cdk.naming import pascal_case
from shared.operations.declaration import HttpTrigger, Operation, QueueTrigger, ScheduleTrigger, StreamTrigger

READ_STREAM: Final = (
    "dynamodb:DescribeStream",
    "dynamodb:GetRecords",
    "dynamodb:GetShardIterator",
    "dynamodb:ListStreams",
)
STREAM_ATTEMPTS: Final = 5


def attach_route(
    function: OperationFunction,
    trigger: HttpTrigger,
    api: apigateway.HttpApi,
    authorizer: authorizers.HttpLambdaAuthorizer | None,
) -> None:
    """Route `trigger` to the function, behind the authorizer unless the route needs no caller.

    Raises: ValueError for a route with a permission where no authorizer is declared: it would be open.
    """
    if trigger.permission is not None and authorizer is None:
        raise ValueError(f"{trigger.route} needs a caller, but no operation is declared as the authorizer.")
    route = apigateway.HttpRoute(
        function,
        "Route",
        http_api=api,
        route_key=apigateway.HttpRouteKey.with_(trigger.path, apigateway.HttpMethod[trigger.method]),
        integration=integrations.HttpLambdaIntegration("Integration", function.target),
        authorizer=apigateway.HttpNoneAuthorizer() if trigger.permission is None else authorizer,
    )
    if trigger.permission is None:
        acknowledge(route, "APIG4", f"{trigger.route} tells nothing about any tenant; it is declared as public.")


def attach_queue(function: OperationFunction, trigger: QueueTrigger, queue: sqs.Queue) -> None:
    """Feed the queue's messages to the function; a record that fails, fails alone."""
    lambda_.EventSourceMapping(
        function,
        "Messages",
        target=function.target,
        event_source_arn=queue.queue_arn,
        batch_size=trigger.batch_size,
        # The event source holds back, so no account concurrency needs to be reserved (new accounts have ten).
        max_concurrency=trigger.max_concurrency,
        report_batch_item_failures=True,
    )


def attach_schedule(function: OperationFunction, trigger: ScheduleTrigger) -> None:
    """Invoke the function every so many minutes; a run that fails is not repeated, the next one comes soon enough."""
    events.Rule(
        function,
        "Schedule",
        description=f"Runs {function.operation.id}.",
        schedule=events.Schedule.rate(Duration.minutes(trigger.every_minutes)),
        targets=[
            targets.LambdaFunction(
                function.target, retry_attempts=0, max_event_age=Duration.minutes(max(trigger.every_minutes, 1))
            )
        ],
    )


def attach_stream(scope: Construct, operation: Operation, trigger: StreamTrigger, platform: Platform) -> None:
    """Feed a table's changes to the operation's function; a batch that keeps failing is named in a queue of its own."""
    stream_arn = platform.resources.address_of(trigger.table).stream_arn
    if stream_arn is None:
        raise ValueError(f"{trigger.table.name} has no stream, but {operation.id} reads it.")
    failures = sqs.Queue(
        scope,
        f"{pascal_case(operation.id)}Failures",
        encryption=sqs.QueueEncryption.SQS_MANAGED,
        enforce_ssl=True,
        retention_period=Duration.days(14),
        removal_policy=RemovalPolicy.RETAIN if platform.settings.keep_data else RemovalPolicy.DESTROY,
    )
    acknowledge(failures, "SQS3", "This is where failed batches go; it is the dead-letter queue.")
    watch_dead_letters(failures, operation.id, platform.alarms_topic)
    function = OperationFunction(
        scope,
        operation,
        platform,
        more=(
            iam.PolicyStatement(actions=list(READ_STREAM), resources=[stream_arn]),
            iam.PolicyStatement(actions=["sqs:SendMessage"], resources=[failures.queue_arn]),
        ),
    )
    lambda_.EventSourceMapping(
        function,
        "Changes",
        target=function.target,
        event_source_arn=stream_arn,
        starting_position=lambda_.StartingPosition.TRIM_HORIZON,
        batch_size=trigger.batch_size,
        bisect_batch_on_error=True,
        retry_attempts=STREAM_ATTEMPTS,
        report_batch_item_failures=True,
        on_failure=event_sources.SqsDlq(failures),
    )
