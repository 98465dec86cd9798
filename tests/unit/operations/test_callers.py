"""A caller goes through the gateway as one line and comes out the same, or not at all."""

import dataclasses
import json

import pytest

from shared.identity.caller import Caller
from shared.identity.permissions import Permission, Role
from shared.kernel.ids import ApiKeyId, TenantId, UserId, WorkspaceId
from shared.operations.callers import UnreadableCallerError, read_caller, write_caller
from shared.tenancy.plans import PLANS, PlanName

KEY = ApiKeyId("key_" + "0" * 26)
ADA = Caller(TenantId("acme"), UserId("ada@acme.example"), Role.MAINTAINER)
CALLERS = {
    "a user": ADA,
    "an operator": dataclasses.replace(ADA, role=Role.OPERATOR),
    "another plan": dataclasses.replace(ADA, figures=PLANS[1][PlanName.ENTERPRISE]),
    "a narrowed key": dataclasses.replace(
        ADA,
        key_id=KEY,
        permissions=frozenset({Permission.SEARCH, Permission.DOCUMENT_READ}),
        workspaces=frozenset({WorkspaceId("ws_" + "1" * 26), WorkspaceId("ws_" + "0" * 26)}),
    ),
    "a key that may nothing": dataclasses.replace(ADA, key_id=KEY, permissions=frozenset(), workspaces=frozenset()),
}


@pytest.mark.parametrize("caller", CALLERS.values(), ids=CALLERS)
def test_caller_comes_out_as_it_went_in(caller):
    assert read_caller(write_caller(caller)) == caller


def test_nothing_and_everything_are_two_things():
    nothing, everything = CALLERS["a key that may nothing"], CALLERS["a user"]

    assert not read_caller(write_caller(nothing)).holds(Permission.SEARCH)
    assert read_caller(write_caller(everything)).holds(Permission.SEARCH)


def changed(**members):
    return json.dumps({**json.loads(write_caller(ADA)), **members}, sort_keys=True, separators=(",", ":"))


def without(name):
    members = json.loads(write_caller(ADA))
    del members[name]
    return json.dumps(members, sort_keys=True, separators=(",", ":"))


FIGURES = json.loads(write_caller(ADA))["figures"]
UNREADABLE = {
    "nothing": "",
    "null": "null",
    "a list": "[]",
    "a name": '"ada"',
    "not JSON": "tenant=acme",
    "a byte too many": write_caller(ADA) + "\n",
    "spaces": write_caller(ADA).replace(":", ": "),
    "equal names": write_caller(ADA)[:-1] + ',"user":"ada@acme.example"}',
    "too deep": "[" * 100_000,
    "one name more": changed(admin=True),
    **{f"without {name}": without(name) for name in json.loads(write_caller(ADA))},
    "unknown role": changed(role="root"),
    "role in capitals": changed(role="OWNER"),
    "unknown permission": changed(permissions=["everything"]),
    "permissions out of order": changed(permissions=["search", "account"]),
    "permission twice": changed(permissions=["search", "search"]),
    "permissions as text": changed(permissions="search"),
    "workspaces as text": changed(workspaces="ws"),
    "workspace as number": changed(workspaces=[1]),
    "tenant empty": changed(tenant=""),
    "tenant that ends a key": changed(tenant="acme#kb"),
    "tenant as number": changed(tenant=7),
    "user empty": changed(user=""),
    "user null": changed(user=None),
    "key as number": changed(key_id=7),
    "figure missing": changed(figures={name: FIGURES[name] for name in list(FIGURES)[1:]}),
    "figure unknown": changed(figures={**FIGURES, "wishes": 3}),
    "figure as text": changed(figures={**FIGURES, "knowledge_bases": "10"}),
    "figure as fraction": changed(figures={**FIGURES, "knowledge_bases": 10.0}),
    "figure true": changed(figures={**FIGURES, "knowledge_bases": True}),
    "figures null": changed(figures=None),
}


@pytest.mark.parametrize("line", UNREADABLE.values(), ids=UNREADABLE)
def test_line_that_nobody_writes_is_nobodys(line):
    with pytest.raises(UnreadableCallerError):
        read_caller(line)
