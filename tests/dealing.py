"""How tests are dealt out to workers, who run side by side: what stays together, and what begins first.

A worker has session fixtures of its own. Most are cheap to have twice (an emulator starts in a second); what shares an
expensive one stays with one worker, and so do all tests of a file. The longest parts begin first, so that no worker is
left alone with one at the end.
"""

from typing import Final

PARTS: Final[tuple[tuple[str, ...], ...]] = (
    # Whoever deploys a local cloud, deploys alone: its functions are processes, and people wait for them.
    ("tests/local_cloud/",),
    # A node of OpenSearch takes a gigabyte, and half a minute to start.
    ("tests/contract/test_chunk_index", "tests/contract/test_opensearch_node.py", "tests/evaluation/"),
    ("tests/ingestion/test_crashes_on_real_stores.py",),
    ("tests/ingestion/test_crash_matrix.py",),
    # The templates of all environments are synthesized once.
    ("tests/infra/",),
    ("tests/isolation/test_two_tenants.py",),
    # These have a node, too.
    ("tests/isolation/test_shared_stores.py", "tests/isolation/test_stores.py"),
    ("tests/api/test_any_story.py",),
    ("tests/audit/capture/test_crash_matrix.py",),
    ("tests/audit/capture/test_killed_processes.py",),
    ("tests/cells/test_moving_under_load.py",),
    ("tests/policies/test_recorded_calls.py",),
    ("tests/audit/test_crashes.py",),
    # Servers of the system, and a pooler in front of them.
    ("tests/postgres/",),
    ("tests/isolation/test_foreign_ids.py",),
    ("tests/api/test_rotate_signing_keys.py",),
    ("tests/api/test_reach.py",),
    ("tests/oidc/",),
    ("tests/contract/test_limit_store.py",),
    ("tests/contract/test_parser_hostile.py",),
)
"""Beginnings of the names of files that stay together, in the order in which they are dealt out; all others follow."""


def part_of(node_id: str) -> tuple[int, str]:
    """Return when the part of a test begins, and its name: all tests of a part are run by one worker."""
    for place, names in enumerate(PARTS):
        if node_id.startswith(names):
            return place, names[0]
    return len(PARTS), node_id.partition("::")[0]
