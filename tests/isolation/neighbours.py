"""Stories of two tenants: all that the first one does happens in two deployments, in one of which it is alone.

In the other one the second tenant is busy in between. What the first one is answered must be the same in both.
"""

import asyncio
import os
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count, zip_longest
from typing import Any, ClassVar, Final

import httpx
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from shared.adapters.minilm.embedder import MiniLmEmbedder
from tests.api.declared import ROUTES
from tests.api.tenants import Tenant
from tests.isolation.deployments import Deployment, Numbering
from tests.isolation.masks import masked
from tests.isolation.steps import Actor, Step

VARIABLE: Final = "TESSERA_NEIGHBOURS"
"""Says how many stories are told, each of its own making; unset, there are few, and always the same."""

EXAMPLE: Final = count(1)


class TheyDifferError(AssertionError):
    """The first tenant saw that there is a second one."""


@dataclass(frozen=True)
class Plot:
    """What may happen in a story. `opening` and `ending` are the first tenant's, and so is what time brings."""

    opening: st.SearchStrategy[list[Step]]
    first: st.SearchStrategy[Step]
    second_opening: Sequence[Step]
    second: st.SearchStrategy[Step]
    ending: Sequence[Step]
    rounds: int = 12


@dataclass
class Stage:
    """What stories are told on: a deployment for the first tenant alone, one for both, and what was answered there."""

    alone: Deployment
    both: Deployment
    numbering: Numbering
    embedder: MiniLmEmbedder
    runner: asyncio.Runner
    answers: Counter[tuple[str, int]] = field(default_factory=Counter)
    """How often each operation was answered what to the first tenant."""

    def actor(self, deployment: Deployment, tenant: str, address: str) -> Actor:
        client = deployment.client(address)
        seen = Tenant(tenant, client, deployment.issuer, deployment.cloud, deployment.people)
        return Actor(seen, deployment, self.embedder)


class TwoTenants(RuleBasedStateMachine):
    """One story."""

    stage: ClassVar[Stage]
    plot: ClassVar[Plot]

    def __init__(self) -> None:
        super().__init__()
        stage, example = self.stage, next(EXAMPLE)
        for deployment in (stage.alone, stage.both):
            deployment.empty()
        stage.numbering.restart()
        self.firsts = [stage.actor(place, f"first-{example}", "192.0.2.1") for place in (stage.alone, stage.both)]
        self.second = stage.actor(stage.both, f"second-{example}", "192.0.2.2")

    @initialize(data=st.data())
    def both_begin(self, data: st.DataObject) -> None:
        self.open(data.draw(self.plot.opening))
        self.second_does(data.draw(st.lists(self.plot.second, max_size=5)))

    @rule(data=st.data())
    def both_go_on(self, data: st.DataObject) -> None:
        self.second_does(data.draw(st.lists(self.plot.second, max_size=3)))
        for step in data.draw(st.lists(self.plot.first, min_size=1, max_size=4)):
            self.first_does(step)

    def open(self, steps: Sequence[Step]) -> None:
        """Let both begin, the first tenant with `steps`."""
        for step in steps:
            self.first_does(step)
        self.second_does(self.plot.second_opening)

    def first_does(self, step: Step) -> None:
        self.stage.numbering.go_on(step.minutes)
        alone, both = (self._take(step, actor) for actor in self.firsts)
        for pair in zip_longest(alone, both):
            if pair[0] != pair[1]:
                raise _differ(f"{step}: {pair[0]} alone, {pair[1]} beside another")

    def second_does(self, steps: Sequence[Step]) -> None:
        for step in steps:
            self._take(step, self.second)

    def teardown(self) -> None:
        for step in self.plot.ending:
            self.first_does(step)

    def _take(self, step: Step, actor: Actor) -> list[Any]:
        self.stage.numbering.place, self.stage.numbering.speaker = str(id(actor.deployment)), actor.tenant.id
        seen = self.stage.runner.run(step.by(actor))
        if actor is self.firsts[0]:
            self.stage.answers.update(
                (operation_of(one.request), one.status_code) for one in seen if isinstance(one, httpx.Response)
            )
        if failed := [one for one in seen if isinstance(one, httpx.Response) and one.is_server_error]:
            raise _differ(f"{step}: {failed[0].text}")
        return [shown(one) for one in seen]


def _differ(told: str) -> TheyDifferError:
    """Tell at once, for Hypothesis tells a story again before it says what was wrong with it."""
    print(told)
    return TheyDifferError(told)


def story_on(stage: Stage, plot: Plot) -> TwoTenants:
    story: TwoTenants = type("Story", (TwoTenants,), {"stage": stage, "plot": plot})()
    return story


def tell_plainly(stage: Stage, plot: Plot, opening: Sequence[Step], stories: int) -> None:
    """Let both begin and the story end, so many times, each time with other names. Raises: TheyDifferError."""
    for _ in range(stories):
        story = story_on(stage, plot)
        story.open(opening)
        story.teardown()


def tell(stage: Stage, plot: Plot, stories: int) -> Counter[tuple[str, int]]:
    """Tell so many stories; return how often each operation was answered what. Raises: TheyDifferError."""
    run_state_machine_as_test(
        lambda: story_on(stage, plot),  # type: ignore[arg-type]
        settings=settings(
            max_examples=stories,
            stateful_step_count=plot.rounds,
            deadline=None,
            database=None,
            derandomize=VARIABLE not in os.environ,
            phases=[Phase.generate],
            # One difference is enough.
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
        ),
    )
    return stage.answers


PATHS: Final = {
    name: (route.method, re.compile(re.sub(r"{\w+}", "[^/]+", route.path))) for name, (_, route) in ROUTES.items()
}


def operation_of(request: httpx.Request) -> str:
    return next(
        name for name, (method, path) in PATHS.items() if method == request.method and path.fullmatch(request.url.path)
    )


SIGNED: Final = re.compile(r"(?:X-Amz-[A-Za-z-]+|versionId)=[^&\"]+")
SIGNED_BYTES: Final = re.compile(SIGNED.pattern.encode())
"""What makes an address of an object good for a while, and names its version."""


TASK: Final = re.compile(rb"task_[0-9a-z]{26}")
"""Numbered in the order in which files are looked at, which is no matter of anybody's."""


def shown(seen: httpx.Response | str) -> tuple[Any, dict[str, str], str]:
    """Return what a tenant can compare of an answer: not its number, its secrets, nor the milliseconds it took."""
    if not isinstance(seen, httpx.Response):
        return seen, {}, ""
    headers = {name: value for name, value in seen.headers.items() if name != "content-length"}
    body = re.sub(rb'"timings_ms":{[^}]*}', b'"timings_ms":{}', seen.content)
    body = re.sub(rb"tessera-(alone|both)-", b"tessera-", body)
    if "location" in headers:
        headers["location"] = SIGNED.sub("signed", re.sub("tessera-(alone|both)-", "tessera-", headers["location"]))
    body = SIGNED_BYTES.sub(b"signed", body)
    body = TASK.sub(b"a task", body)
    return masked(seen.status_code, headers, body, but=("id", "user", "tenant", "moment"))
