"""A tenant sees the same whether or not another one shares its index, its queues, its web and its audit tables (T5).

The stories of `test_two_tenants.py` on a real node of OpenSearch, in which documents come in as in a deployment: files
are put, pages fetched, bases indexed anew, logs sealed and copied to PostgreSQL, tenants moved between cells. Both
tenants share an index, or the first one has an index, or a cell, of its own.
"""

import asyncio
import json
import os
import secrets
from unittest.mock import patch

import pytest
from hypothesis import strategies as st
from opensearchpy import OpenSearch, Transport

from shared.adapters.http.robots_memory import RobotsMemory
from shared.adapters.opensearch import counting
from shared.adapters.opensearch.chunk_index import OpenSearchChunkIndex
from shared.adapters.opensearch.client import connect
from shared.adapters.opensearch.counting import ScopeCounter
from shared.kernel.ids import TenantId
from shared.kernel.tenants import AdmittedTenant, TenantContextError, current_tenant_context
from tests.ingestion.cloud import furnish
from tests.isolation.arrivals import ARRIVING, WORLD, add_page, audited, put_file, site_says, turn
from tests.isolation.calls import CALLS
from tests.isolation.deployments import Numbering, deploy_with_cells, numbered
from tests.isolation.moves import MOVING, move, settled
from tests.isolation.neighbours import VARIABLE, Plot, Stage, TheyDifferError, tell, tell_plainly
from tests.isolation.steps import (
    LOOKING_ROUND,
    MEDDLING,
    STEPS,
    TEXTS,
    Step,
    delete_document,
    listed,
    opening,
    publish,
    search,
)
from tests.web_server import Site

STORIES = os.environ.get(VARIABLE)
LIVES = {"pooled": ("main", False, 2), "in its own index": ("main", True, 1), "in another cell": ("second", False, 1)}
"""Where the first tenant is, and how many stories are told of it; the second one begins in the first cell's index."""

LIST_OF_DOCUMENTS = "/knowledge-bases/{base}/documents"
ARRIVED = [
    Step(put_file, {"base": 1, "name": "keys.md", "text": TEXTS[3]}),
    Step(add_page, {"base": 1, "page": "terms.md", "key": "k-1"}),
    Step(add_page, {"base": 1, "page": "busy.md", "key": None}),
]
"""What comes in from outside for both of them in the beginning."""

EVERYTHING = st.one_of(ARRIVING, STEPS, STEPS, CALLS)
LAST_LOOKS = [
    Step(turn, {}, 1),
    *(Step(search, {"base": 1, "query": "notice", "mode": mode, "limit": 5}) for mode in ("hybrid", "vector")),
    *LOOKING_ROUND,
    Step(turn, {}),
    Step(audited, {}),
]

pytestmark = [pytest.mark.slow, pytest.mark.real_server, pytest.mark.timeout(1800)]


def plot_of(cell, *, own_index):
    says = Step(site_says, {"text": TEXTS[0], "is_closed": False})
    there = settled(cell, own_index=own_index)
    return Plot(
        opening=st.builds(lambda text: [says, *there, *opening(text), *ARRIVED], st.sampled_from(TEXTS)),
        first=st.one_of(EVERYTHING, WORLD, EVERYTHING),
        second_opening=[*opening(TEXTS[0]), *ARRIVED, *MEDDLING, Step(move, {"cell": "second", "own_index": False})],
        second=st.one_of(EVERYTHING, EVERYTHING, MOVING),
        ending=LAST_LOOKS,
        rounds=6 if STORIES else 4,
    )


@pytest.fixture(scope="module")
def numbering():
    return Numbering()


@pytest.fixture(scope="module")
def site():
    started = Site()
    yield started
    started.stop()


@pytest.fixture(scope="module")
def deployments(cloud, opensearch_address, site, tmp_path_factory):
    run = secrets.token_hex(4)
    folders = {f"{name}-{run}": tmp_path_factory.mktemp(name) for name in ("alone", "both")}
    clouds = {name: furnish(folder, name) for name, folder in folders.items()}
    yield [deploy_with_cells(made, opensearch_address, name, site) for name, made in clouds.items()]
    client = connect(opensearch_address)
    for name in clouds:
        client.indices.delete(index=f"{name}-*")
    client.close()


@pytest.fixture
def stage(deployments, numbering, embedder):
    with asyncio.Runner() as runner, numbered(numbering), routed():
        alone, both = deployments
        yield Stage(alone, both, numbering, embedder, runner)


def routed():
    """Look at what reaches the node: whatever is about chunks goes to the shard of the one tenant that it is for."""
    genuine = Transport.perform_request

    def performing(self, method, url, params=None, **parts):
        try:
            tenant = current_tenant_context().tenant
        except TenantContextError:
            return genuine(self, method, url, params=params, **parts)  # the test itself
        if url.rpartition("/")[2] in {"_search", "_count", "_bulk", "_delete_by_query"}:
            routing = (params or {}).get("routing")
            assert routing
            assert routing == (tenant or routing)
        return genuine(self, method, url, params=params, **parts)

    return patch.object(Transport, "perform_request", performing)


@pytest.mark.parametrize(("cell", "own_index", "few"), LIVES.values(), ids=LIVES)
def test_first_tenant_sees_the_same_wherever_its_chunks_are(stage, cell, own_index, few):
    answers = tell(stage, plot_of(cell, own_index=own_index), int(STORIES or few))

    print(json.dumps({f"{name} {status}": times for (name, status), times in sorted(answers.items(), key=str)}))
    done = {name for name, status in answers if status < 400}
    assert done >= {"search_knowledge_base", "answer_question", "list_audit_events", "verify_audit_log"}


FOUND_OUT = (TheyDifferError, TenantContextError)
BEGUN = opening(TEXTS[0])[:2]
SEARCHES = [
    Step(search, {"base": 1, "query": "notice period", "mode": mode, "limit": 5}) for mode in ("keyword", "vector")
]
SWEPT_AFTER_MIN = 20
PAIRS = 12
"""Each time with other names, until both are of one shard: there are two, and routing alone keeps others apart."""


def plain(second, ending):
    """Return a plot without chance. The second one's document is the first one's by its id alone."""
    other = [BEGUN[0], Step(publish, {"base": 1, "name": "terms.md", "text": TEXTS[1]})]
    return Plot(st.just(BEGUN), st.nothing(), [*other, *second], st.nothing(), ending)


def without_filter(leg):
    """Return a search that forgets whom it searches for in one of its legs."""
    genuine = OpenSearchChunkIndex._search

    def searching(self, tenant, body):
        query = body.get("query", {})
        found = query.get("knn", {}).get("vector") if leg == "vector" else query.get("bool")
        if found is not None and (leg == "vector" or "should" in found):
            del found["filter"]
        return genuine(self, tenant, body)

    return patch.object(OpenSearchChunkIndex, "_search", searching)


@pytest.mark.parametrize("leg", ["keyword", "vector"])
def test_filter_forgotten_in_one_leg_is_found_out(stage, leg):
    with without_filter(leg), pytest.raises(FOUND_OUT) as found:
        tell_plainly(stage, plain([], SEARCHES), BEGUN, PAIRS)

    assert f"'{leg}'" in str(found.value)


def test_deletion_that_forgets_the_tenant_is_found_out(stage):
    genuine = OpenSearchChunkIndex._delete

    def deleting(self, tenant, scope, query):
        named = [one for one in query["bool"]["filter"] if "document_generation" in one.get("term", {})]
        return genuine(self, tenant, scope, {"bool": {"filter": named or query["bool"]["filter"]}})

    deleted = Step(delete_document, {"base": 1, "name": "terms.md"})
    with patch.object(OpenSearchChunkIndex, "_delete", deleting), pytest.raises(FOUND_OUT) as found:
        tell_plainly(stage, plain([deleted], [Step(turn, {}, SWEPT_AFTER_MIN), *SEARCHES]), BEGUN, PAIRS)

    assert "search" in str(found.value)


def test_counts_of_everybody_are_found_out(stage):
    genuine = ScopeCounter._ask

    def asking(self, *arguments):
        with patch.object(counting, "filter_of", lambda *_: {"bool": {"filter": []}}):
            return genuine(self, *arguments)

    with patch.object(ScopeCounter, "_ask", asking), pytest.raises(FOUND_OUT):
        tell_plainly(stage, plain([], SEARCHES), BEGUN, PAIRS)


def test_search_that_is_not_routed_is_found_out(stage):
    """Answers would be the same, of other shards too; so what reaches the node is looked at."""
    genuine = OpenSearch.search

    def searching(self, **arguments):
        del arguments["params"]["routing"]
        return genuine(self, **arguments)

    with patch.object(OpenSearch, "search", searching), pytest.raises(FOUND_OUT) as found:
        tell_plainly(stage, plain([], SEARCHES), BEGUN, 1)

    assert "search" in str(found.value)


def test_rules_of_sites_remembered_for_everybody_are_found_out(stage):
    genuine, everybody = RobotsMemory._sites, AdmittedTenant(TenantId("everybody"))
    private = Step(add_page, {"base": 1, "page": "private.md", "key": None})
    opened, closed = (Step(site_says, {"text": TEXTS[0], "is_closed": is_closed}) for is_closed in (False, True))
    look = Step(listed, {"path": LIST_OF_DOCUMENTS, "base": 1, "limit": 100})
    plot = plain([private], [Step(turn, {}), closed, private, Step(turn, {}), look])

    with (
        patch.object(RobotsMemory, "_sites", lambda self, _: genuine(self, everybody)),
        pytest.raises(FOUND_OUT) as found,
    ):
        tell_plainly(stage, plot, [opened, *BEGUN[:1]], 1)

    assert "robots" in str(found.value)
