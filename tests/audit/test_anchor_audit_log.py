"""`anchor_audit_log`: heads are kept where nobody changes them, each once (T7)."""

import pytest

from shared.adapters.dynamodb.audit_keys import moment_of, unanchored_item, unprojected_item
from shared.operations.capabilities import AUDIT_ARCHIVE
from shared.operations.registry import load_operation

pytestmark = [pytest.mark.real_server, pytest.mark.slow]


@pytest.fixture
def tick(functions):
    async def ticked():
        return await functions.invoke(load_operation("audit", "anchor_audit_log"), {})

    return ticked


async def anchors_of(log, after=0):
    return [anchor async for anchor in log.anchors.anchors_after(log.tenant, after)]


def versions_of(log):
    prefix = f"t/{log.tenant}/anchors/"
    bucket = log.cloud.address_of(AUDIT_ARCHIVE)
    return log.cloud.s3.list_object_versions(Bucket=bucket, Prefix=prefix).get("Versions", [])


async def test_a_log_is_anchored_when_it_has_grown_and_not_again(log, tick):
    await log.write(3)
    await tick()
    first = await log.blocks.head(log.tenant)
    await log.write(2)
    await tick()
    second = await log.blocks.head(log.tenant)

    assert await tick() == {"anchored": 0}

    assert await anchors_of(log) == [first, second]
    assert await anchors_of(log, after=3) == [second]
    assert await anchors_of(log, after=5) == []
    assert len(versions_of(log)) == 2


async def test_anchoring_twice_at_once_writes_one_version(log):
    await log.write(1)

    for _ in range(3):
        await log.anchoring.anchor(log.tenant)

    assert len(versions_of(log)) == 1


async def test_a_log_that_grows_all_the_time_waits_since_it_began_to(log):
    await log.write(1)
    marks = {name: log.items()[name] for name in ("unanchored", "unprojected")}

    await log.write(2)

    assert {name: log.items()[name] for name in marks} == marks
    assert marks["unanchored"] == unanchored_item(log.tenant, moment_of(marks["unanchored"]["pending_at"]["N"]))
    assert marks["unprojected"] == unprojected_item(log.tenant, moment_of(marks["unprojected"]["pending_at"]["N"]))


async def test_a_head_that_moved_while_it_was_anchored_is_anchored_again(log, tick):
    await log.write(1)
    stale = await log.blocks.head(log.tenant)
    await log.write(1)

    await log.anchoring._heads.mark_anchored(log.tenant, stale)

    assert "unanchored" in log.items()
    await tick()
    assert "unanchored" not in log.items()
    assert [anchor.seq for anchor in await anchors_of(log)] == [2]


async def test_an_anchor_behind_a_delete_marker_is_still_found(log, tick):
    await log.write(1)
    await tick()
    (version,) = versions_of(log)
    log.cloud.s3.delete_object(Bucket=log.cloud.address_of(AUDIT_ARCHIVE), Key=version["Key"])

    assert [anchor.seq for anchor in await anchors_of(log)] == [1]


async def test_a_log_without_lines_has_no_anchor(log):
    await log.anchoring.anchor(log.tenant)

    assert versions_of(log) == []


async def test_tenants_have_anchors_of_their_own(log, other_log, tick):
    await log.write(1)
    await other_log.write(2)
    await tick()

    assert [anchor.seq for anchor in await anchors_of(log)] == [1]
    assert [anchor.seq for anchor in await anchors_of(other_log)] == [2]


async def test_many_anchors_are_listed_page_by_page(log, monkeypatch):
    really = log.cloud.s3.list_object_versions
    monkeypatch.setattr(log.cloud.s3, "list_object_versions", lambda **named: really(**named, MaxKeys=2))
    for _ in range(5):
        await log.write(1)
        await log.anchoring.anchor(log.tenant)

    assert [anchor.seq for anchor in await anchors_of(log)] == [1, 2, 3, 4, 5]
    assert [anchor.seq for anchor in await anchors_of(log, after=2)] == [3, 4, 5]
