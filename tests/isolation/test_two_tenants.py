"""A tenant sees the same whether or not there is another one, who has the same ids, names, contents and keys (T5).

Hypothesis makes up what two tenants do. All that the first one does happens in two deployments: in one of them it is
alone, in the other the second one is busy in between. Every answer to it is the same in both: statuses, headers,
bodies, counts, errors, ranks and scores. TESSERA_NEIGHBOURS sets how many stories are told.
"""

import asyncio
import json
import os
import sys
from contextlib import ExitStack, contextmanager
from unittest.mock import patch

import pytest
from hypothesis import strategies as st

from shared.adapters.dynamodb import identity_keys, keys, limits_keys
from shared.adapters.sqlite import chunk_index, writing
from shared.kernel.tenants import TenantContextError
from tests.ingestion.cloud import furnish
from tests.isolation.arrivals import audited, turn
from tests.isolation.calls import CALLED, CALLS, NEVER_DONE, everything
from tests.isolation.deployments import Numbering, deploy_with_files, numbered
from tests.isolation.neighbours import VARIABLE, Plot, Stage, TheyDifferError, story_on, tell
from tests.isolation.steps import LOOKING_ROUND, MEDDLING, STEPS, TEXTS, Step, opening

STORIES = int(os.environ.get(VARIABLE, "10"))
PLOT = Plot(
    opening=st.builds(opening, st.sampled_from(TEXTS)),
    first=st.one_of(STEPS, CALLS),
    second_opening=[*opening(TEXTS[0]), *MEDDLING],
    second=st.one_of(STEPS, CALLS),
    ending=LOOKING_ROUND,
)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


@pytest.fixture(scope="module")
def numbering():
    return Numbering()


@pytest.fixture(scope="module")
def deployments(cloud, tmp_path_factory):
    return [deploy_with_files(furnish(tmp_path_factory.mktemp(name), name)) for name in ("alone", "both")]


@pytest.fixture
def stage(deployments, numbering, embedder):
    with asyncio.Runner() as runner, numbered(numbering):
        alone, both = deployments
        yield Stage(alone, both, numbering, embedder, runner)


def test_first_tenant_sees_the_same_with_and_without_the_second(stage):
    answers = tell(stage, PLOT, STORIES)

    print(json.dumps({f"{name} {status}": times for (name, status), times in sorted(answers.items(), key=str)}))
    assert sum(answers.values()) >= STORIES * PLOT.rounds
    assert {name for name, _ in answers} >= {"search_knowledge_base", "answer_question", "delete_document"}


def test_every_operation_does_the_same_with_and_without_the_second(stage):
    story = story_on(stage, PLOT)
    story.open(opening(TEXTS[0]))
    for step in (Step(turn, {}), Step(audited, {})):
        story.first_does(step)
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
def test_a_key_that_forgets_the_tenant_is_found_out(stage, builder):
    with forgetting(builder), pytest.raises(FOUND_OUT):
        tell(stage, PLOT, 60)


def test_an_index_that_forgets_the_tenant_is_found_out(stage):
    def find_scope(connection, tenant, scope):
        row = connection.execute(
            "SELECT id, dimensions FROM scopes WHERE kb_id = ? AND index_generation = ? AND dropped = 0 ORDER BY id",
            (scope.kb_id, scope.index_generation),
        ).fetchone()
        return None if row is None else writing.StoredScope(*row)

    with patch.object(chunk_index, "find_scope", find_scope), pytest.raises(TheyDifferError) as found:
        tell(stage, PLOT, 20)

    assert "search" in str(found.value) or "answer" in str(found.value)
