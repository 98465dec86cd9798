"""Requests whose calls of AWS fail, or whose answers are lost: an effect has its event, an event its effect (T7)."""

import secrets

import pytest

from shared.audit.events import ADMITTED, DONE, AuditEvent
from shared.knowledge.keys import document_id_of
from shared.operations.capabilities import UPLOADS
from tests.audit.capture.acting import NOBODYS_BASE, bases_of, check_truth, client_of, create_base, outcomes
from tests.audit.capture.faults import Fault, met_with

QUEUE, LOG, WRITE = "SendMessage", "PutItem -audit", "TransactWriteItems -metadata"
CASES = [(QUEUE, False), (QUEUE, True), (LOG, False), (LOG, True), (WRITE, False), (WRITE, True)]


@pytest.fixture
def tenant():
    return f"crashed-{secrets.token_hex(6)}"


@pytest.fixture
async def client(cloud, tenant):
    async with client_of(cloud.settings, tenant) as opened:
        yield opened


@pytest.fixture
async def base(client):
    return (await create_base(client)).json()["id"]


@pytest.mark.parametrize("is_lasting", [False, True], ids=["once", "lasting"])
@pytest.mark.parametrize(("target", "is_lost"), CASES)
async def test_a_write_is_told_of_when_it_is_done_and_only_then(
    cloud, told, client, base, tenant, target, is_lost, is_lasting
):
    fault = Fault(target, is_lost=is_lost, is_lasting=is_lasting)

    with met_with(fault):
        answer = await create_base(client)

    is_done = target != WRITE or is_lost or not is_lasting
    assert len(bases_of(cloud, tenant)) == 1 + is_done
    check_truth(cloud, tenant, told.all(tenant))
    if answer.status_code == 201:
        assert set(bases_of(cloud, tenant)) == {base, answer.json()["id"]}
    else:
        assert (target, is_lasting) == (WRITE, True)
        assert outcomes(told.all(tenant), answer.headers["x-request-id"]) == [answer.json()["code"]]
    assert bool(fault.met) == (target == WRITE)


@pytest.mark.parametrize("is_lasting", [False, True], ids=["once", "lasting"])
@pytest.mark.parametrize(("target", "is_lost"), CASES)
async def test_what_is_read_is_told_of_whatever_fails(
    cloud, told, client, base, tenant, target, is_lost, is_lasting
):  # fmt: skip
    with met_with(Fault(target, is_lost=is_lost, is_lasting=is_lasting)):
        found = await client.get(f"/knowledge-bases/{base}")
        missing = await client.get(f"/knowledge-bases/{NOBODYS_BASE}")

    assert (found.status_code, missing.status_code) == (200, 404)
    events = told.all(tenant)
    assert outcomes(events, found.headers["x-request-id"]) == ["admitted"]
    assert outcomes(events, missing.headers["x-request-id"]) == ["admitted", missing.json()["code"]]
    check_truth(cloud, tenant, events)


@pytest.mark.parametrize("is_lost", [False, True])
async def test_what_the_queue_does_not_take_stands_in_the_log_itself(told, client, base, tenant, is_lost):
    with met_with(Fault(QUEUE, is_lost=is_lost, is_lasting=True)):
        await client.get(f"/knowledge-bases/{base}")

    written = {key for key, event in told.written(tenant).items() if event.operation == "get_knowledge_base"}
    sent = {key for key, event in told.sent(tenant).items() if event.operation == "get_knowledge_base"}
    assert len(written) == 1
    assert sent == (written if is_lost else set())


@pytest.mark.parametrize("path", ["/knowledge-bases/{base}", f"/knowledge-bases/{NOBODYS_BASE}", "/usage"])
async def test_nothing_is_read_that_nobody_can_tell_of(told, client, base, tenant, path):
    before = told.all(tenant)

    with met_with(Fault(QUEUE, is_lost=False, is_lasting=True), Fault(LOG, is_lost=False, is_lasting=True)):
        answer = await client.get(path.format(base=base))

    assert (answer.status_code, answer.json()["code"]) == (503, "audit-unavailable")
    assert "Initech" not in answer.text
    assert int(answer.headers["retry-after"]) >= 1
    assert told.since(tenant, before) == []
    assert (await client.get(path.format(base=base))).json().get("code") != "audit-unavailable"


async def test_a_write_needs_no_queue(cloud, told, client, base, tenant):
    with met_with(Fault(QUEUE, is_lost=False, is_lasting=True), Fault(LOG, is_lost=False, is_lasting=True)):
        created = await create_base(client)

    assert created.status_code == 201
    check_truth(cloud, tenant, told.all(tenant))


async def test_an_answer_that_was_lost_is_recorded_once(cloud, told, functions_of_all, client, base, tenant):
    """The queue took the message, and nobody heard of it: the event stands in the log, and comes once more."""
    with met_with(Fault(QUEUE, is_lost=True, is_lasting=True)):
        answer = await client.get(f"/knowledge-bases/{base}")

    await functions_of_all.work_off()

    events = [event for event in told.written(tenant).values() if event.request_id == answer.headers["x-request-id"]]
    assert [event.outcome for event in events] == ["admitted"]


class Erasure:
    """Notes what was told of a tenant when the first file of a bucket is about to be deleted."""

    def __init__(self, told, tenant):
        self.known: dict[str, AuditEvent] = {}
        self._told, self._tenant = told, tenant

    def send(self, really_send, session, request):
        if request.method == "DELETE" and not self.known:
            self.known = self._told.all(self._tenant)
        return really_send(session, request)


async def test_who_deletes_a_file_is_told_of_before_it_is_gone(cloud, told, functions_of_all, client, base, tenant):
    """No transaction holds a file and an event: whoever is killed in between would have deleted it unnamed."""
    key = f"t/{tenant}/kb/{base}/terms.md"
    cloud.s3.put_object(Bucket=cloud.address_of(UPLOADS), Key=key, Body=b"The notice period is 30 days.")
    await functions_of_all.work_off()
    path = f"knowledge-bases/{base}/documents/{document_id_of(key)}"
    erasure = Erasure(told, tenant)

    with met_with(erasure):
        answer = await client.delete(f"/{path}")

    assert answer.status_code == 204
    request_id = answer.headers["x-request-id"]
    (first,) = [event for event in erasure.known.values() if event.request_id == request_id]
    assert (first.actor, first.outcome, first.resource, first.step) == ("ada", ADMITTED, path, 0)
    (_, second) = [event for event in told.all(tenant).values() if event.request_id == request_id]
    assert (second.outcome, second.resource, second.step) == (DONE, path, 1)


async def test_no_file_is_deleted_that_nobody_can_tell_of(cloud, told, functions_of_all, client, base, tenant):
    key = f"t/{tenant}/kb/{base}/terms.md"
    cloud.s3.put_object(Bucket=cloud.address_of(UPLOADS), Key=key, Body=b"The notice period is 30 days.")
    await functions_of_all.work_off()

    with met_with(Fault(QUEUE, is_lost=False, is_lasting=True), Fault(LOG, is_lost=False, is_lasting=True)):
        answer = await client.delete(f"/knowledge-bases/{base}/documents/{document_id_of(key)}")

    assert (answer.status_code, answer.json()["code"]) == (503, "audit-unavailable")
    assert cloud.s3.head_object(Bucket=cloud.address_of(UPLOADS), Key=key)["ContentLength"] == 29
