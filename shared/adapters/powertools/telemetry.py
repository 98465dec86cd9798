"""Telemetry in a Lambda: metrics in CloudWatch's embedded format, structured logs, X-Ray spans."""

import logging
from contextlib import AbstractContextManager, nullcontext

from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.metrics.provider.cloudwatch_emf.cloudwatch import AmazonCloudWatchEMFProvider

from shared.telemetry.ports import NAMESPACE, dimensions_of


class PowertoolsTelemetry:
    """Metrics of one operation in one environment; spans only in a sampled invocation."""

    def __init__(self, operation_id: str, environment: str, *, traced: bool) -> None:
        self._metrics = AmazonCloudWatchEMFProvider(
            namespace=NAMESPACE,
            service=operation_id,
            default_dimensions=dimensions_of(environment, operation_id),
        )
        self._traced = traced

    def count(self, name: str, amount: int = 1) -> None:
        self._metrics.add_metric(name=name, unit=MetricUnit.Count, value=amount)

    def duration(self, name: str, milliseconds: float) -> None:
        self._metrics.add_metric(name=name, unit=MetricUnit.Milliseconds, value=milliseconds)

    def span(self, name: str) -> AbstractContextManager[object]:
        if not self._traced:
            return nullcontext()
        # X-Ray's SDK ends its support in February 2027; this is the only line that knows it (architecture §7).
        from aws_xray_sdk.core import xray_recorder

        span: AbstractContextManager[object] = xray_recorder.in_subsegment(name)
        return span

    def flush(self) -> None:
        if self._metrics.metric_set:
            self._metrics.flush_metrics()


def log_as_json(operation_id: str, level: int = logging.INFO) -> None:
    """Let every record of the process be one JSON line that names the operation; Lambda's own handler is replaced."""
    handler = logging.StreamHandler()
    handler.setFormatter(LambdaPowertoolsFormatter(service=operation_id))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    # botocore logs each retry at INFO with headers that may hold signatures; mangum the path of each request, in which
    # anybody may write anything: API Gateway's access log has its route instead.
    for name in ("botocore", "mangum"):
        logging.getLogger(name).setLevel(logging.WARNING)
