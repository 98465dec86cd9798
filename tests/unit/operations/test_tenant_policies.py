"""Whom a call reaches, and what a session's policy says: both from the same declaration."""

import json

import pytest

from shared.kernel.ids import TenantId
from shared.kernel.tenants import TenantContextError
from shared.operations.capabilities import ACCOUNTS, AUDIT, IDENTITY, METADATA, PUBLIC_KEYS, QUERY, UPLOADS
from shared.operations.declaration import ScheduleTrigger
from shared.operations.registry import all_operations
from shared.operations.tenant_policies import (
    SESSION_POLICY_CHARACTERS,
    Statement,
    TenantRules,
    reaches_tenant_data,
    session_policy,
    shared_statements,
    tenant_statements,
)
from shared.operations.tenants import across, within
from tests.unit.operations.test_tenants import operation

ACME, AB = TenantId("acme"), TenantId("ab")
GET, PUT = "dynamodb:GetItem", "dynamodb:PutItem"
RULES = TenantRules([IDENTITY.read, ACCOUNTS.write, METADATA.read, UPLOADS.get])


def arn_of(resource):
    return f"arn:aws:dynamodb:eu-central-1:123456789012:table/Tessera-prod-data-{resource.name}-0123456789ABC"


def test_own_partitions_and_those_below_them_are_reached():
    with within(ACME):
        assert RULES.tenant_of_partitions("metadata", GET, {"t#acme", "t#acme#kb#x"}) == ACME


@pytest.mark.parametrize("key", ["t#globex", "t#acme2", "t#acm", "t#", "t#acme\n", "acme", "user#ada", "T#acme"])
def test_partitions_of_others_are_refused(key):
    with within(ACME), pytest.raises(TenantContextError):
        RULES.tenant_of_partitions("identity", GET, {key})


def test_partitions_of_several_are_refused_also_across_tenants():
    with across(operation(ScheduleTrigger(5), "a reason")), pytest.raises(TenantContextError):
        RULES.tenant_of_partitions("identity", GET, {"t#acme", "t#globex"})


def test_declared_partitions_of_nobody_are_reached_by_declared_actions_only():
    assert RULES.tenant_of_partitions("identity", PUT, {"user#ada"}) is None
    with pytest.raises(TenantContextError):
        RULES.tenant_of_partitions("identity", GET, {"user#ada"})
    with within(ACME), pytest.raises(TenantContextError):
        RULES.tenant_of_partitions("identity", PUT, {"t#acme"})


def test_a_call_that_names_no_partition_is_refused():
    with within(ACME), pytest.raises(TenantContextError):
        RULES.tenant_of_partitions("metadata", "dynamodb:Query", set())


def test_without_a_context_no_tenant_is_reached():
    with pytest.raises(TenantContextError):
        RULES.tenant_of_partitions("metadata", GET, {"t#acme"})
    with pytest.raises(TenantContextError):
        RULES.tenant_of_objects("uploads", "s3:GetObject", {"t/acme/x"})


@pytest.mark.parametrize("key", ["t/globex/x", "t/acme2/x", "t/acme", "", "x", "t//x", "/t/acme/x"])
def test_objects_and_listings_beyond_the_own_prefix_are_refused(key):
    with within(ACME), pytest.raises(TenantContextError):
        RULES.tenant_of_objects("uploads", "s3:GetObject", {key})


def test_a_form_without_a_key_is_signed_for_whom_is_worked_for():
    with within(ACME):
        assert RULES.tenant_of_objects("uploads", "s3:PutObject", set()) == ACME
    with across(operation(ScheduleTrigger(5), "a reason")), pytest.raises(TenantContextError):
        RULES.tenant_of_objects("uploads", "s3:PutObject", set())


def test_an_index_is_read_only_where_that_is_declared():
    assert TenantRules([METADATA.query_indexes]).tenant_of_index("metadata", QUERY, "due", {"due#1"}) is None
    with pytest.raises(TenantContextError):
        RULES.tenant_of_index("metadata", QUERY, "due", {"due#1"})
    with pytest.raises(TenantContextError):
        TenantRules([METADATA.query_indexes]).tenant_of_index("metadata", "dynamodb:Scan", "due", set())
    with pytest.raises(TenantContextError):
        TenantRules([METADATA.query_indexes]).tenant_of_index("metadata", QUERY, "other", {"due#1"})


def test_an_index_that_leads_with_the_tenant_is_asked_for_one():
    rules = TenantRules([AUDIT.query_indexes, AUDIT.scan_indexes])

    with within(ACME):
        assert rules.tenant_of_index("audit", QUERY, "pending", {"t#acme"}) == ACME
        assert rules.tenant_of_index("audit", QUERY, "pending", {"t#acme#head"}) == ACME
        for keys in ({"t#globex"}, {"t#acme2"}, {"t#acme", "t#globex"}, {"pending"}, set()):
            with pytest.raises(TenantContextError):
                rules.tenant_of_index("audit", QUERY, "pending", keys)
    with pytest.raises(TenantContextError):
        rules.tenant_of_index("audit", QUERY, "pending", {"t#acme"})
    assert rules.tenant_of_index("audit", "dynamodb:Scan", "pending", set()) is None


def test_the_partitions_of_such_an_index_are_those_of_sessions_and_reading_it_through_is_not():
    uses = [AUDIT.query_indexes, AUDIT.scan_indexes]
    index = f"{arn_of(AUDIT)}/index/pending"

    assert shared_statements(uses, arn_of) == [Statement(("dynamodb:Scan",), (index,), {})]
    (of_the_tenant,) = tenant_statements(uses, arn_of, ACME)
    assert (of_the_tenant.actions, of_the_tenant.arns) == ((QUERY,), (index,))
    assert of_the_tenant.conditions["ForAllValues:StringLike"] == {"dynamodb:LeadingKeys": ["t#acme", "t#acme#*"]}
    assert of_the_tenant.conditions["Null"] == {"dynamodb:LeadingKeys": "false"}
    assert reaches_tenant_data([AUDIT.query_indexes])
    assert not reaches_tenant_data([METADATA.query_indexes, AUDIT.scan_indexes])


def test_a_policy_names_the_tenant_with_its_separator_and_asks_for_a_partition():
    (statement,) = tenant_statements([METADATA.read], arn_of, ACME)

    assert statement.conditions == {
        "ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["t#acme", "t#acme#*"]},
        "Null": {"dynamodb:LeadingKeys": "false"},
    }


def test_partitions_of_nobody_are_named_for_their_actions_alone():
    by_action = {
        action: one.conditions["ForAllValues:StringLike"]["dynamodb:LeadingKeys"]
        for one in tenant_statements([IDENTITY.read, IDENTITY.write, PUBLIC_KEYS.read], arn_of, ACME)
        for action in one.actions
    }

    assert by_action[GET] == ["keys", "t#acme", "t#acme#*"]
    assert by_action[PUT] == ["t#acme", "t#acme#*"]


@pytest.mark.parametrize("name", ["", "a*", "a#", "a?", "${aws:username}"])
def test_no_policy_is_written_for_what_is_no_tenants_name(name):
    with pytest.raises(TenantContextError):
        session_policy([METADATA.read], arn_of, TenantId(name))


@pytest.mark.parametrize(
    "declared", [one for one in all_operations() if reaches_tenant_data(one.capabilities)], ids=lambda one: one.id
)
def test_every_policy_is_short_enough_for_the_longest_name(declared):
    text = session_policy(declared.capabilities, arn_of, TenantId("a" * 63))

    assert json.loads(text)["Statement"]
    assert len(text) <= SESSION_POLICY_CHARACTERS
