"""A tenant sees the same whether or not there is another one, who has the same ids, names, contents and keys (T5).

Hypothesis makes up what two tenants do. All that the first one does happens in two deployments: in one of them it is
alone, in the other the second one is busy in between. Every answer to it is the same in both: statuses, headers,
bodies, counts, errors, ranks and scores. TESSERA_NEIGHBOURS sets how many stories are told.
"""

import asyncio
import json
import os
import re
import sys
from collections import Counter
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import count, zip_longest
from typing import Any, ClassVar
from unittest.mock import patch

import httpx
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from shared.adapters.dynamodb import identity_keys, keys, limits_keys
from shared.adapters.minilm.embedder import MiniLmEmbedder
from shared.adapters.sqlite import chunk_index, writing
from shared.kernel.tenants import TenantContextError
from tests.api.declared import ROUTES
from tests.api.tenants import Tenant
from tests.ingestion.cloud import furnish
from tests.isolation.calls import CALLED, CALLS, NEVER_DONE, everything
from tests.isolation.deployments import Deployment, Numbering, deploy, numbered
from tests.isolation.masks import masked
from tests.isolation.steps import LOOKING_ROUND, MEDDLING, STEPS, TEXTS, Actor, Step, opening

STORIES = int(os.environ.get("TESSERA_NEIGHBOURS", "10"))
STEPS_EACH = 12
EXAMPLE = count(1)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


class TheyDifferError(AssertionError):
    """The first tenant saw that there is a second one."""


@dataclass
class Stage:
    """What stories are told on: a deployment for the first tenant alone, one for both, and what was answered there."""

    alone: Deployment
    both: Deployment
    numbering: Numbering
    embedder: MiniLmEmbedder
    runner: asyncio.Runner
    answers: Counter[tuple[str, object]] = field(default_factory=Counter)
    """How often each operation was answered what to the first tenant."""

    def actor(self, deployment: Deployment, tenant: str, address: str) -> Actor:
        client = deployment.client(address)
        seen = Tenant(tenant, client, deployment.issuer, deployment.cloud, deployment.people)
        return Actor(seen, deployment, self.embedder)


class TwoTenants(RuleBasedStateMachine):
    """One story."""

    stage: ClassVar[Stage]

    def __init__(self) -> None:
        super().__init__()
        stage, example = self.stage, next(EXAMPLE)
        for deployment in (stage.alone, stage.both):
            deployment.empty()
        stage.numbering.restart()
        self.firsts = [stage.actor(place, f"first-{example}", "192.0.2.1") for place in (stage.alone, stage.both)]
        self.second = stage.actor(stage.both, f"second-{example}", "192.0.2.2")

    @initialize(first=st.sampled_from(TEXTS), second=st.lists(STEPS, max_size=5))
    def both_have_something(self, first: str, second: list[Step]) -> None:
        for step in opening(first):
            self.first_does(step)
        self.second_does([*opening(TEXTS[0]), *MEDDLING, *second])

    @rule(steps=st.lists(st.one_of(STEPS, CALLS), min_size=1, max_size=4))
    def first_does_some(self, steps: list[Step]) -> None:
        for step in steps:
            self.first_does(step)

    def first_does(self, step: Step) -> None:
        self.stage.numbering.steps += 1
        alone, both = (self._take(step, actor) for actor in self.firsts)
        for pair in zip_longest(alone, both):
            if pair[0] != pair[1]:
                raise TheyDifferError(f"{step}: {pair[0]} alone, {pair[1]} beside another")

    @rule(steps=st.lists(st.one_of(STEPS, CALLS), min_size=1, max_size=3))
    def second_does(self, steps: list[Step]) -> None:
        for step in steps:
            self._take(step, self.second)

    def teardown(self) -> None:
        for step in LOOKING_ROUND:
            self.first_does(step)

    def _take(self, step: Step, actor: Actor) -> list[Any]:
        self.stage.numbering.speaker = f"{actor.tenant.id} in {id(actor.deployment)}"
        seen = self.stage.runner.run(step.by(actor))
        if actor is self.firsts[0]:
            self.stage.answers.update(
                (operation_of(one.request), one.status_code) for one in seen if isinstance(one, httpx.Response)
            )
        if failed := [one for one in seen if isinstance(one, httpx.Response) and one.is_server_error]:
            raise TheyDifferError(f"{step}: {failed[0].text}")
        return [shown(one) for one in seen]


PATHS = {name: (route.method, re.compile(re.sub(r"{\w+}", "[^/]+", route.path))) for name, (_, route) in ROUTES.items()}


def operation_of(request: httpx.Request) -> str:
    return next(
        name for name, (method, path) in PATHS.items() if method == request.method and path.fullmatch(request.url.path)
    )


@pytest.fixture(scope="module")
def numbering():
    return Numbering()


@pytest.fixture(scope="module")
def deployments(cloud, tmp_path_factory):
    return [deploy(furnish(tmp_path_factory.mktemp(name), name)) for name in ("alone", "both")]


@pytest.fixture
def stage(deployments, numbering, embedder):
    with asyncio.Runner() as runner, numbered(numbering):
        alone, both = deployments
        yield Stage(alone, both, numbering, embedder, runner)


def story_on(stage):
    return type("Story", (TwoTenants,), {"stage": stage})()


@pytest.fixture
def tell(stage):
    """Tell stories; return how often each operation was answered what. Raises: TheyDifferError."""

    def told(stories):
        run_state_machine_as_test(
            lambda: story_on(stage),  # type: ignore[arg-type]
            settings=settings(
                max_examples=stories,
                stateful_step_count=STEPS_EACH,
                deadline=None,
                database=None,
                derandomize="TESSERA_NEIGHBOURS" not in os.environ,
                phases=[Phase.generate],
                # One difference is enough.
                report_multiple_bugs=False,
                suppress_health_check=list(HealthCheck),
            ),
        )
        return stage.answers

    return told


SIGNED = re.compile(r"(?:X-Amz-[A-Za-z-]+|versionId)=[^&\"]+")
SIGNED_BYTES = re.compile(SIGNED.pattern.encode())
"""What makes an address of an object good for a while, and names its version."""


def shown(seen):
    """Return what a tenant can compare of an answer: not its number, its secrets, nor the milliseconds it took."""
    if not isinstance(seen, httpx.Response):
        return seen, {}, ""
    headers = {name: value for name, value in seen.headers.items() if name not in {"x-request-id", "content-length"}}
    body = seen.content.replace(seen.headers["x-request-id"].encode(), b"the request")
    body = re.sub(rb'"timings_ms":{[^}]*}', b'"timings_ms":{}', body)
    body = re.sub(rb"tessera-(alone|both)-", b"tessera-", body)
    if "location" in headers:
        headers["location"] = SIGNED.sub("signed", re.sub("tessera-(alone|both)-", "tessera-", headers["location"]))
    body = SIGNED_BYTES.sub(b"signed", body)
    return masked(seen.status_code, headers, body, but=("id", "tenant", "moment"))


def test_first_tenant_sees_the_same_with_and_without_the_second(tell):
    answers = tell(STORIES)

    print(json.dumps({f"{name} {status}": times for (name, status), times in sorted(answers.items(), key=str)}))
    assert sum(answers.values()) >= STORIES * STEPS_EACH
    assert {name for name, _ in answers} >= {"search_knowledge_base", "answer_question", "delete_document"}


def test_every_operation_does_the_same_with_and_without_the_second(stage):
    story = story_on(stage)
    story.both_have_something(TEXTS[0], [])
    for step in everything():
        story.first_does(step)
    story.teardown()

    print(json.dumps({f"{name} {status}": times for (name, status), times in sorted(stage.answers.items(), key=str)}))
    done = {name for name, status in stage.answers if status < 400}
    assert sorted(set(CALLED) - done - NEVER_DONE.keys()) == []
    assert sorted(done & NEVER_DONE.keys()) == []


@contextmanager
def forgetting(builder):
    """Let one builder of keys take everybody for the same tenant, wherever it is used."""

    def without_tenant(_tenant, *rest):
        return builder("everybody", *rest)

    name = builder.__name__
    with ExitStack() as patches:
        for module in [one for one in list(sys.modules.values()) if getattr(one, name, None) is builder]:
            patches.enter_context(patch.object(module, name, without_tenant))
        yield


FORGETFUL = [
    keys.document_key,
    keys.request_key,
    keys.tenant_tally_key,
    limits_keys.window_key,
    identity_keys.api_key_key,
    identity_keys.invitation_key,
    identity_keys.workspace_key,
]
"""What leads to a record."""

FOUND_OUT = (TheyDifferError, TenantContextError, ValueError)
"""By the comparison, or before by what refuses calls and transactions that reach another tenant."""


@pytest.mark.parametrize("builder", FORGETFUL, ids=lambda builder: str(builder.__name__))
def test_a_key_that_forgets_the_tenant_is_found_out(tell, builder):
    with forgetting(builder), pytest.raises(FOUND_OUT):
        tell(60)


def test_an_index_that_forgets_the_tenant_is_found_out(tell):
    def find_scope(connection, tenant, scope):
        row = connection.execute(
            "SELECT id, dimensions FROM scopes WHERE kb_id = ? AND index_generation = ? AND dropped = 0 ORDER BY id",
            (scope.kb_id, scope.index_generation),
        ).fetchone()
        return None if row is None else writing.StoredScope(*row)

    with patch.object(chunk_index, "find_scope", find_scope), pytest.raises(TheyDifferError) as found:
        tell(20)

    assert "search" in str(found.value) or "answer" in str(found.value)
