"""Real processes, killed with signal 9 at each of their requests to AWS: nothing that happened is untold of (T7)."""

import json
import secrets
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.audit.capture.acting import bases_of, check_truth, outcomes

ROOT = Path(__file__).resolve().parents[3]
NEVER = 0


class Victims:
    """A process that makes processes, and what they were answered."""

    def __init__(self, cloud):
        self._running: Any = subprocess.Popen(
            [sys.executable, "-m", "tests.audit.capture.victims"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._write(cloud.variables)

    def live(self, tenant, at, *, is_after):
        """Let one live until it ends or is killed; return its answers, and how many requests it made, if it says so."""
        self._write({"tenant": tenant, "at": at, "is_after": is_after})
        answers: list[Any] = []
        requests = None
        for line in self._running.stdout:
            fact = json.loads(line)
            if fact["said"] == "GONE":
                assert fact["is_killed"] == (at != NEVER)
                return answers, requests
            if fact["said"] == "END":
                requests = fact["requests"]
            else:
                answers.append(fact)
        raise AssertionError("The process that makes the victims has gone.")

    def _write(self, message):
        self._running.stdin.write(json.dumps(message) + "\n")
        self._running.stdin.flush()

    def end(self):
        self._running.stdin.close()
        self._running.stdout.close()
        assert self._running.wait(10) == 0


@pytest.fixture
def victims(cloud):
    started = Victims(cloud)
    yield started
    started.end()


def new_tenant():
    return f"killed-{secrets.token_hex(6)}"


def check(cloud, told, tenant, answers):
    """Hold what a victim heard against what was told: whoever got an answer is told of."""
    events = told.all(tenant)
    check_truth(cloud, tenant, events)
    for answer in answers:
        told_of = outcomes(events, answer["request"])
        match answer["said"], answer["status"]:
            case "POST", 201:
                assert answer["id"] in bases_of(cloud, tenant)
                assert told_of == []
            case "GET", 200:
                assert told_of == ["admitted"]
            case "GET", 404:
                assert told_of == ["admitted", "knowledge-base-not-found"]
            case "PATCH", 404:
                assert told_of == ["knowledge-base-not-found"]
            case _:
                raise AssertionError(answer)


@pytest.mark.slow
def test_whoever_is_killed_at_any_request_leaves_nothing_untold(cloud, told, victims):
    undisturbed = new_tenant()
    answers, requests = victims.live(undisturbed, NEVER, is_after=False)
    assert [answer["status"] for answer in answers] == [201, 200, 404, 404]
    check(cloud, told, undisturbed, answers)

    heard = 0
    for at in range(1, requests + 1):
        for is_after in (False, True):
            tenant = new_tenant()
            answers, _ = victims.live(tenant, at, is_after=is_after)
            check(cloud, told, tenant, answers)
            heard += len(answers)

    assert requests >= 10
    assert heard >= requests
