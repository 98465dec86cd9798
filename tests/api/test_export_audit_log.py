"""export_audit_log."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from shared.audit.chain import Link
from shared.audit.export_verification import verify_export
from shared.identity.permissions import Role
from shared.operations.capabilities import AUDIT_ARCHIVE
from tests.api.tenants import problem_of
from tests.postgres.logs import copy_events

pytestmark = pytest.mark.real_server

BEGIN = datetime.now(UTC).replace(microsecond=0) - timedelta(days=100)


@pytest.fixture
async def lines(cloud, acme):
    """The copied log of an organisation: twelve events, an hour apart."""
    sealed = await copy_events(cloud, acme.id, *[{}] * 12, since=BEGIN)
    return [one.line for one in sealed]


async def export(tenant, body=None, key=None, role=Role.OWNER):
    headers = {} if key is None else {"idempotency-key": key}
    return await tenant.send("POST", "/audit-exports", role, json=body or {}, headers=headers)


async def lines_of(answer):
    """Return the lines of an exported file, verified."""
    async with httpx.AsyncClient() as browser:
        fetched = await browser.get(answer["url"])
    assert fetched.status_code == 200
    assert len(fetched.content) == answer["size_bytes"]
    exported = fetched.content.splitlines(keepends=True)
    place = Link(answer["last_seq"], bytes.fromhex(answer["last_hash"]))
    assert verify_export(exported, bytes.fromhex(answer["previous_hash"]), place) == []
    return [text.partition(b" ")[2].rstrip(b"\n") for text in exported]


async def test_whole_log_comes_as_a_file_that_proves_itself(acme, lines):
    response = await export(acme)

    assert response.status_code == 201
    answer = response.json()
    assert (answer["events"], answer["first_seq"], answer["last_seq"]) == (12, 1, 12)
    assert await lines_of(answer) == lines
    assert "next_page_token" not in answer


async def test_part_of_the_log_continues_what_is_before_it(acme, lines):
    moments = [(BEGIN + timedelta(hours=hour)).isoformat() for hour in (3, 6)]

    answer = (await export(acme, {"since": moments[0], "until": moments[1]})).json()

    assert (answer["first_seq"], answer["last_seq"]) == (4, 6)
    assert await lines_of(answer) == lines[3:6]


async def test_long_log_comes_file_by_file(acme, lines):
    body, answers = {"limit": 5}, []
    while True:
        answers.append((await export(acme, body)).json())
        if "next_page_token" not in answers[-1]:
            break
        body = {"limit": 5, "page_token": answers[-1]["next_page_token"]}

    assert [one["events"] for one in answers] == [5, 5, 2]
    assert [line for one in answers for line in await lines_of(one)] == lines
    assert [one["previous_hash"] for one in answers[1:]] == [one["last_hash"] for one in answers[:-1]]


async def test_repeated_request_gives_the_same_file(cloud, acme, lines):
    first = (await export(acme, key="again")).json()
    await copy_events(cloud, acme.id, {}, since=BEGIN + timedelta(hours=12))
    second = (await export(acme, key="again")).json()

    unlike = {"url": "", "expires_at": "", "next_page_token": ""}
    assert {**first, **unlike} == {**second, **unlike}
    assert await lines_of(second) == lines
    stored = cloud.s3.list_object_versions(Bucket=cloud.address_of(AUDIT_ARCHIVE), Prefix=f"t/{acme.id}/exports/")
    assert len(stored["Versions"]) == 1
    further = (await export(acme, {"page_token": second["next_page_token"]})).json()
    assert (further["first_seq"], further["last_seq"]) == (13, 13)
    assert problem_of(await export(acme, {"since": "2026-01-01T00:00:00Z"}, key="again")) == (
        422,
        "idempotency-key-reused",
    )


async def test_time_without_events_has_no_file(acme, lines):
    answer = (await export(acme, {"until": "2020-01-01T00:00:00Z"})).json()

    assert answer["events"] == 0
    assert "url" not in answer


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"since": "2026-01-02T00:00:00Z", "until": "2026-01-02T00:00:00Z"}, "invalid-export-range"),
        ({"since": "2026-01-03T00:00:00Z", "until": "2026-01-02T00:00:00Z"}, "invalid-export-range"),
        ({"since": "2026-01-03"}, "invalid-request"),
        ({"since": 5}, "invalid-request"),
        ({"since": "0001-01-01T00:00:00+14:00"}, "invalid-request"),
        ({"until": "9999-12-31T23:59:59-14:00"}, "invalid-request"),
        ({"limit": 0}, "invalid-request"),
        ({"limit": 10_001}, "invalid-request"),
        ({"page_token": "x"}, "invalid-page-token"),
        ({"tenant": "globex"}, "invalid-request"),
    ],
)
async def test_what_cannot_be_exported_is_refused(acme, body, code):
    assert problem_of(await export(acme, body)) == (422, code)


async def test_page_of_another_organisation_is_no_page(acme, globex, lines):
    token = (await export(acme, {"limit": 5})).json()["next_page_token"]

    assert problem_of(await export(globex, {"page_token": token})) == (422, "invalid-page-token")
    assert (await export(globex)).json()["events"] == 0


@pytest.mark.parametrize("role", [Role.MAINTAINER, Role.REVIEWER, Role.VIEWER])
async def test_others_do_not_export(acme, role):
    assert problem_of(await export(acme, role=role)) == (403, "forbidden")
