"""Metrics that an operation tells of are watched where it declares so (O2)."""

import json

import pytest

from shared.adapters.powertools.telemetry import PowertoolsTelemetry
from shared.operations.registry import all_operations
from tests.infra.templates import Templates

DECLARED = [(one, alarm) for one in all_operations() for alarm in one.alarms]


def test_events_that_wait_too_long_and_moves_that_stand_still_are_declared() -> None:
    assert {operation.id for operation, _ in DECLARED} >= {"seal_leftover_events", "advance_tenant_moves"}


def test_declared_metrics_are_watched_as_they_are_told(
    templates: Templates, capsys: pytest.CaptureFixture[str]
) -> None:
    for operation, declaration in DECLARED:
        telemetry = PowertoolsTelemetry(operation.id, templates.environment, traced=False)
        telemetry.duration(declaration.metric, 1)
        telemetry.flush()
        told = json.loads(capsys.readouterr().out)
        (stream,) = told["_aws"]["CloudWatchMetrics"]
        dimensions = {name: told[name] for name in stream["Dimensions"][0]}

        (found,) = [
            alarm.properties
            for alarm in templates.all("AWS::CloudWatch::Alarm")
            if alarm.properties.get("MetricName") == declaration.metric
        ]

        assert found["Namespace"] == stream["Namespace"]
        assert {one["Name"]: one["Value"] for one in found["Dimensions"]} == dimensions
        assert [metric["Name"] for metric in stream["Metrics"]] == [declaration.metric]
        assert (found["Statistic"], found["Period"]) == ("Maximum", 60)
        assert (found["Threshold"], found["EvaluationPeriods"]) == (declaration.above, declaration.minutes)
        assert found["AlarmDescription"] == declaration.says
