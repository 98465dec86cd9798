"""How long an environment keeps logs, in the CDK's words."""

from collections.abc import Mapping
from typing import Final

from aws_cdk import aws_logs as logs

from infra_cdk.settings import Settings

KNOWN: Final[Mapping[int, logs.RetentionDays]] = {
    3: logs.RetentionDays.THREE_DAYS,
    7: logs.RetentionDays.ONE_WEEK,
    14: logs.RetentionDays.TWO_WEEKS,
    30: logs.RetentionDays.ONE_MONTH,
    90: logs.RetentionDays.THREE_MONTHS,
    180: logs.RetentionDays.SIX_MONTHS,
    365: logs.RetentionDays.ONE_YEAR,
    731: logs.RetentionDays.TWO_YEARS,
}


def log_retention_of(settings: Settings) -> logs.RetentionDays:
    """Return the retention of every log group of the environment."""
    return KNOWN[settings.log_retention_days]
