"""The dashboard: what an operator looks at first, made from names alone so that no other stack waits for it."""

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from infra_cdk.naming import function_name, resource_name
from infra_cdk.settings import Settings
from infra_cdk.stacks.base import AreaStack
from shared.operations.declaration import HttpTrigger, Operation

PERIOD = Duration.minutes(1)


class ObservabilityStack(AreaStack):
    """One dashboard per environment: the API, every area's functions, every queue."""

    def __init__(
        self,
        scope: Construct,
        settings: Settings,
        operations: tuple[Operation, ...],
        api_id: str,
        queue_names: dict[str, str],
    ) -> None:
        super().__init__(scope, "observability", settings, "dashboard.")
        dashboard = cloudwatch.Dashboard(
            self,
            "Dashboard",
            dashboard_name=resource_name(settings.environment, "overview"),
            default_interval=Duration.hours(3),
        )
        dashboard.add_widgets(*_api_widgets(api_id))
        areas = sorted({operation.area for operation in operations})
        for area in areas:
            dashboard.add_widgets(
                *_area_widgets(settings, area, [operation for operation in operations if operation.area == area])
            )
        dashboard.add_widgets(*_queue_widgets(queue_names))


def _api_widgets(api_id: str) -> list[cloudwatch.IWidget]:
    def metric(name: str, statistic: str) -> cloudwatch.Metric:
        return cloudwatch.Metric(
            namespace="AWS/ApiGateway",
            metric_name=name,
            dimensions_map={"ApiId": api_id},
            statistic=statistic,
            period=PERIOD,
            label=f"{name} {statistic}",
        )

    return [
        cloudwatch.GraphWidget(
            title="API: requests and failures", width=12, left=[metric(name, "Sum") for name in ("Count", "4xx", "5xx")]
        ),
        cloudwatch.GraphWidget(
            title="API: latency in ms",
            width=12,
            left=[metric("Latency", statistic) for statistic in ("p50", "p95", "p99")],
        ),
    ]


def _area_widgets(settings: Settings, area: str, operations: list[Operation]) -> list[cloudwatch.IWidget]:
    def metrics(name: str, statistic: str) -> list[cloudwatch.IMetric]:
        return [
            cloudwatch.Metric(
                namespace="AWS/Lambda",
                metric_name=name,
                dimensions_map={"FunctionName": function_name(settings.environment, operation)},
                statistic=statistic,
                period=PERIOD,
                label=operation.id,
            )
            for operation in operations
        ]

    waited_for = "HTTP" if any(isinstance(operation.trigger, HttpTrigger) for operation in operations) else "background"
    return [
        cloudwatch.GraphWidget(
            title=f"{area} ({waited_for}): duration p95 in ms", width=12, left=metrics("Duration", "p95")
        ),
        cloudwatch.GraphWidget(title=f"{area}: errors", width=6, left=metrics("Errors", "Sum")),
        cloudwatch.GraphWidget(title=f"{area}: throttles", width=6, left=metrics("Throttles", "Sum")),
    ]


def _queue_widgets(queue_names: dict[str, str]) -> list[cloudwatch.IWidget]:
    def metrics(name: str) -> list[cloudwatch.IMetric]:
        return [
            cloudwatch.Metric(
                namespace="AWS/SQS",
                metric_name=name,
                dimensions_map={"QueueName": queue_name},
                statistic="Maximum",
                period=PERIOD,
                label=label,
            )
            for label, queue_name in queue_names.items()
        ]

    return [
        cloudwatch.GraphWidget(
            title="Queues: waiting messages", width=12, left=metrics("ApproximateNumberOfMessagesVisible")
        ),
        cloudwatch.GraphWidget(
            title="Queues: age of the oldest message in s", width=12, left=metrics("ApproximateAgeOfOldestMessage")
        ),
    ]
