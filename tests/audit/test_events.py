"""What an audit event is made of, and its one canonical form (T7)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.adapters.dynamodb.audit_keys import pending_item
from shared.audit.chain import MOST_EVENTS, genesis, line_hash, make_block
from shared.audit.events import LONGEST, AuditEvent, canonical, canonical_line, read_event, read_line
from shared.kernel.ids import TenantId
from tests.audit.samples import ACME, GLOBEX, event, events

MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds
TEXTS = st.text(st.characters(), max_size=700)


@given(MOMENTS, TEXTS, TEXTS, TEXTS, st.none() | TEXTS, st.integers(1, 10**18))
def test_whatever_comes_from_outside_is_written_and_read_again(at, resource, actor, request_id, ip, seq):
    told = event(at=at, resource=resource, actor=actor, request_id=request_id, ip=ip)

    assert read_event(canonical(told)) == told
    assert read_line(canonical_line(seq, told)) == (seq, told)
    assert b"\n" not in canonical_line(seq, told)
    assert len(pending_item(told)["event"]["S"]) < 4_000


def test_the_canonical_form_is_this():
    told = replace(event(at=datetime(2026, 11, 21, 9, 30, tzinfo=timezone(timedelta(hours=1)))), event_id="aud_x")

    assert canonical_line(7, told) == (
        b'{"actor":"usr_01kahv2q5r0000000000000000","at":"2026-11-21T08:30:00.000000Z","event_id":"aud_x",'
        b'"ip":"203.0.113.7","key_id":null,"kind":"access","operation":"get_document","outcome":"admitted",'
        b'"request_id":"01HRD7YJ4W","resource":"knowledge-bases/kb_00000000000000000000000001/documents/'
        b'doc_00000000000000000000000000","role":"viewer","seq":7,"step":0,"tenant":"acme"}'
    )


def test_ids_sort_by_time_and_texts_are_harmless():
    first, second = events(2)

    assert first.event_id < second.event_id
    assert event(resource="documents/\x00\n/straße").resource == "documents/%00%0A/stra%C3%9Fe"
    assert len(event(resource="ü" * 10_000).resource) == LONGEST["resource"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"resource": "two\nlines"},
        {"actor": "ü"},
        {"outcome": "x" * 65},
        {"step": -1},
        {"at": datetime(2026, 11, 21)},  # noqa: DTZ001 - that is what is wrong
    ],
)
def test_an_event_that_could_not_be_written_is_none(wrong):
    with pytest.raises(ValueError, match="event's"):
        replace(event(), **wrong)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"seq":1}',
        "null",
        canonical(event()),
        canonical_line(1, event()).decode().replace(":", ": ", 1),
    ],
)
def test_a_line_in_another_form_is_none(text):
    with pytest.raises(ValueError, match=r".+"):
        read_line(text.encode())


def test_an_event_has_no_room_for_content():
    """A new field is a decision: whoever adds one must say that it never holds what a tenant stores or asks."""
    assert [*AuditEvent.__dataclass_fields__] == [
        *("event_id", "tenant", "at", "actor", "role", "key_id", "operation", "resource", "kind", "outcome", "ip"),
        *("request_id", "step"),
    ]


def test_the_chain_covers_every_line_before_and_whose_it_is():
    (first, second) = events(2)
    block = make_block(ACME, genesis(ACME), [first, second])

    assert block.previous_hash == genesis(ACME).hash != genesis(GLOBEX).hash
    assert block.last_hash == line_hash(line_hash(genesis(ACME).hash, block.lines[0]), block.lines[1])
    assert (block.first_seq, block.last_seq, block.end.seq) == (1, 2, 2)
    assert make_block(ACME, block.end, [first]).first_seq == 3


def test_a_block_leaves_room_in_a_transaction():
    assert MOST_EVENTS + 4 <= 100


def test_an_event_waits_in_the_partition_of_its_tenant_alone():
    item = pending_item(event(TenantId("acme")))

    assert item["pk"] == item["pending_partition"] == {"S": "t#acme"}
    assert "expires_at" not in item
