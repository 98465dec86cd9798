"""The watch over a deployed local cloud: whatever its API answers, its functions log and measure, its stores hold (T5).

Answers are looked at as they come, whichever client of this process asked. Lines and metrics are read from the
emulator's CloudWatch: a function behind a route may name the tenants whose requests are under way just then, every
other one may speak of one tenant a line, and none tells content.
"""

import json
import re
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import httpx
import pytest

from localstack import aws, function_logs
from localstack.cloud import LocalCloud, launcher_variables
from localstack.function_logs import LogLine
from shared.operations.capabilities import RESOURCES, Queue
from shared.operations.declaration import AuthorizerTrigger, HttpTrigger
from shared.operations.registry import all_operations
from tests.canaries import WATCH, Leak, marks_in, marks_of
from tests.ingestion.cloud import Cloud
from tests.stores import entries_of, leaks_in

FUNCTIONS: Final = "tessera-local-"
_OWNER: Final = re.compile(r"/t/([^/]+)/")
_METRICS: Final = "_aws"
_SLACK_MS: Final = 5
"""Clocks of two processes are read one after the other, and to the millisecond."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One request: when it was under way, in milliseconds since 1970, and the marks that it was about."""

    begun: float
    ended: float
    marks: frozenset[str]


@dataclass
class DeployedWatch:
    """Watches one deployed cloud from `since`, in milliseconds since 1970."""

    cloud: LocalCloud
    since: int = field(default_factory=lambda: int(time.time() * 1000))
    asked: list[Asked] = field(default_factory=list)
    log_lines: int = 0
    metrics: int = 0

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Look at every answer that a client of this process gets from the cloud, and note who asked when."""
        send = httpx.Client.send
        watch = self

        def send_watched(client: httpx.Client, request: httpx.Request, **named: Any) -> httpx.Response:
            if not str(request.url).startswith(watch.cloud.emulator.endpoint):
                return send(client, request, **named)
            body = request.read()
            begun = time.time() * 1000
            response = send(client, request, **named)
            response.read()
            watch.hear(request, body, response, begun)
            return response

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(httpx.Client, "send", send_watched)
            yield

    def hear(self, request: httpx.Request, body: bytes, response: httpx.Response, begun: float) -> None:
        """Look at one answer: its headers, and its body as it is after decoding."""
        said = [str(request.url), *_lines(request.headers), body.decode(errors="replace")]
        told = [*_lines(response.headers), response.text]
        path = str(request.url).removeprefix(self.cloud.api_address).partition("?")[0]
        # Whoever has a signed address of an object may read what its owner may.
        owner = _OWNER.search(path)
        said += sorted(marks_of({owner[1]})) if owner else []
        own = WATCH.hear(request.method, path, "\n".join(said), "\n".join(told))
        self.asked.append(Asked(begun, time.time() * 1000, own))

    def leaks(self) -> list[Leak]:
        """Return what the functions logged and measured of tenants that it is not about."""
        return list(self.leaks_in(function_logs.read(self.cloud.emulator, self.since)))

    def leaks_in(self, lines: Iterable[LogLine]) -> Iterator[Leak]:
        routes = {
            f"{FUNCTIONS}{one.id}"
            for one in all_operations()
            if isinstance(one.trigger, HttpTrigger | AuthorizerTrigger)
        }
        for line in lines:
            record = _record_of(line.text)
            if _METRICS in record:
                self.metrics += 1
                where, allowed = f"metrics of {line.function}", frozenset[str]()
            else:
                self.log_lines += 1
                where = f"log of {line.function}"
                named = {mark for mark in marks_in(line.text) if not mark.startswith("canary-")}
                if line.function in routes:
                    allowed = self._asked_at(_moment_of(record, line)) & named
                else:
                    allowed = frozenset(named if len(named) == 1 else ())
            if foreign := marks_in(line.text) - allowed:
                yield Leak(where, foreign, line.text[:2000])

    def _asked_at(self, moment: float) -> frozenset[str]:
        """Return the marks of all requests that were under way at a moment."""
        under_way = (one for one in self.asked if one.begun - _SLACK_MS <= moment <= one.ended + _SLACK_MS)
        return frozenset().union(*(one.marks for one in under_way))

    def leaks_in_stores(self) -> list[Leak]:
        """Return what the stores hold of one tenant where it is another's; messages that wait are taken."""
        with pytest.MonkeyPatch.context() as patch:
            for name, value in self.cloud.emulator.environment.items():
                patch.setenv(name, value)
            return leaks_in(entries_of(stores_of(self.cloud)), WATCH.sent)


def stores_of(cloud: LocalCloud) -> Cloud:
    """Return where all stores of a deployed cloud are, as its functions are told."""
    variables = {**launcher_variables(cloud.folder)}
    pages = aws.functions(cloud.emulator.endpoint).get_paginator("list_functions").paginate()
    for function in (one for page in pages for one in page["Functions"]):
        if function["FunctionName"].startswith(FUNCTIONS):
            variables |= function.get("Environment", {}).get("Variables", {})
    sqs = aws.sqs(cloud.emulator.endpoint)
    dead_letters = {}
    for queue in (one for one in RESOURCES if isinstance(one, Queue)):
        redrive = sqs.get_queue_attributes(QueueUrl=variables[queue.variable], AttributeNames=["RedrivePolicy"])
        name = json.loads(redrive["Attributes"]["RedrivePolicy"])["deadLetterTargetArn"].rpartition(":")[2]
        dead_letters[queue.name] = sqs.get_queue_url(QueueName=name)["QueueUrl"]
    return Cloud(variables, dead_letters)


def _lines(headers: httpx.Headers) -> list[str]:
    return [f"{name}: {value}" for name, value in headers.multi_items()]


def _record_of(text: str) -> dict[str, Any]:
    """Return what a line says that is JSON, as all are that functions log themselves."""
    try:
        record = json.loads(text)
    except ValueError:
        return {}
    return record if isinstance(record, dict) else {}


def _moment_of(record: dict[str, Any], line: LogLine) -> float:
    """Return when a line was written; the emulator takes lines without a time before it passes the answer on."""
    written = record.get("timestamp")
    return line.logged_at if written is None else datetime.fromisoformat(written).timestamp() * 1000
