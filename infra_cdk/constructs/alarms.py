"""Alarms that are born with what they watch (O2)."""

from typing import Final

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra_cdk.naming import pascal_case
from shared.operations.declaration import Operation
from shared.telemetry.ports import NAMESPACE, dimensions_of

ERROR_RATE_PERCENT: Final = 5
"""Above it users notice: critical in row O2."""

SHARE_OF_TIMEOUT: Final = 0.8
"""A p95 this near to the timeout means that one slow dependency more makes calls fail."""

OLDEST_MESSAGE_S: Final = 900
"""A message that waits a quarter of an hour: the consumers do not keep up, or fail."""

PERIOD: Final = Duration.minutes(1)


class Alarms(Construct):
    """The alarms of one thing, sent to the environment's topic where it has one."""

    def __init__(self, scope: Construct, topic: sns.ITopic | None) -> None:
        super().__init__(scope, "Alarms")
        self._topic = topic

    def add(self, construct_id: str, metric: cloudwatch.IMetric, *, above: float, minutes: int, says: str) -> None:
        """Alarm when `metric` exceeds `above` in `minutes` periods of a minute; silence is not an alarm."""
        alarm = cloudwatch.Alarm(
            self,
            construct_id,
            metric=metric,
            threshold=above,
            evaluation_periods=minutes,
            datapoints_to_alarm=minutes,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
            alarm_description=says,
        )
        if self._topic is not None:
            alarm.add_alarm_action(actions.SnsAction(self._topic))


def watch_function(
    function: lambda_.Function, operation: Operation, environment: str, topic: sns.ITopic | None, *, knows_rates: bool
) -> None:
    """Alarm on the function's error rate, its throttles, a p95 near its timeout, and on what its operation declares.

    Where `knows_rates` is false (the emulator refuses metric math), any failed call counts instead of their rate.
    """
    operation_id, timeout_s = operation.id, operation.timeout_s
    alarms = Alarms(function, topic)
    for alarm in operation.alarms:
        told = cloudwatch.Metric(
            namespace=NAMESPACE,
            metric_name=alarm.metric,
            dimensions_map=dimensions_of(environment, operation_id),
            statistic="Maximum",
            period=PERIOD,
        )
        alarms.add(pascal_case(alarm.metric), told, above=alarm.above, minutes=alarm.minutes, says=alarm.says)
    failed = function.metric_errors(period=PERIOD)
    rate = cloudwatch.MathExpression(
        expression="IF(calls > 0, 100 * failed / calls, 0)",
        using_metrics={"failed": failed, "calls": function.metric_invocations(period=PERIOD)},
        label="failed calls in percent",
        period=PERIOD,
    )
    alarms.add(
        "ErrorRate",
        rate if knows_rates else failed,
        above=ERROR_RATE_PERCENT if knows_rates else 0,
        minutes=3,
        says=f"More than {ERROR_RATE_PERCENT if knows_rates else 0} % of the calls of {operation_id} fail.",
    )
    alarms.add(
        "Throttles",
        function.metric_throttles(period=PERIOD),
        above=0,
        minutes=3,
        says=f"{operation_id} is throttled: the account's concurrency is used up.",
    )
    alarms.add(
        "Duration",
        function.metric_duration(period=PERIOD, statistic="p95"),
        above=SHARE_OF_TIMEOUT * timeout_s * 1_000,
        minutes=5,
        says=f"The p95 of {operation_id} is near its timeout of {timeout_s} s.",
    )


def watch_queue(queue: sqs.Queue, dead_letters: sqs.Queue, name: str, topic: sns.ITopic | None) -> None:
    """Alarm on the first message given up, and on messages that wait too long."""
    watch_dead_letters(dead_letters, name, topic)
    Alarms(queue, topic).add(
        "OldestMessage",
        queue.metric_approximate_age_of_oldest_message(period=PERIOD, statistic="Maximum"),
        above=OLDEST_MESSAGE_S,
        minutes=5,
        says=f"A message of {name} has been waiting for more than {OLDEST_MESSAGE_S // 60} minutes.",
    )


def watch_dead_letters(dead_letters: sqs.Queue, name: str, topic: sns.ITopic | None) -> None:
    """Alarm on the first message given up."""
    Alarms(dead_letters, topic).add(
        "NotEmpty",
        dead_letters.metric_approximate_number_of_messages_visible(period=PERIOD, statistic="Maximum"),
        above=0,
        minutes=1,
        says=f"Work of {name} was given up and lies in its dead-letter queue.",
    )
