"""What the deployed functions log, as the emulator's CloudWatch has it: of each function, whoever invoked it.

The emulator's own log has some of it only: nothing of functions behind routes, of the authorizer, and of schedules.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from localstack import aws
from localstack.emulator import Emulator

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient

GROUPS: Final = "/aws/lambda/"
"""What the names of the functions' log groups begin with; the function's name follows."""

_PAGE: Final = 10_000
_OTHERS: Final = re.compile(r'\{"_aws":|(START|END|REPORT) RequestId: ')


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line; `logged_at` is when it reached CloudWatch, in milliseconds since 1970."""

    function: str
    logged_at: int
    text: str

    @property
    def is_message(self) -> bool:
        """Whether the function says something here, rather than measures, or Lambda counts its invocations."""
        return not _OTHERS.match(self.text)


def read(emulator: Emulator, since: int = 0) -> Iterator[LogLine]:
    """Yield all lines of all functions since a time in milliseconds, function by function, the oldest first."""
    client = aws.logs(emulator.endpoint)
    for page in client.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=GROUPS):
        for group in page["logGroups"]:
            yield from _lines_of(client, group["logGroupName"], since)


def _lines_of(client: "CloudWatchLogsClient", group: str, since: int) -> Iterator[LogLine]:
    """Yield the lines of a group. The emulator knows no next page, so each begins where the one before it ended."""
    told: set[tuple[str, str]] = set()
    while True:
        events = client.filter_log_events(logGroupName=group, startTime=since, limit=_PAGE)["events"]
        for event in events:
            if event["timestamp"] > since or (event["logStreamName"], event["message"]) not in told:
                yield LogLine(group.removeprefix(GROUPS), event["timestamp"], event["message"])
        if len(events) < _PAGE or events[-1]["timestamp"] == since:
            return
        since = events[-1]["timestamp"]
        told = {(event["logStreamName"], event["message"]) for event in events if event["timestamp"] == since}
