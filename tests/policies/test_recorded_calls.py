"""What the suite asks of AWS is allowed by what functions would have there; gone wrong, none of it is (T5).

Each call is judged under the policies of the synthesized production template: in a session of its tenant, the role for
tenants and the session's policy together; else the function's own role.
"""

import json
from collections import Counter, defaultdict
from fnmatch import fnmatchcase

import pytest

from shared.adapters.aws.calls import Use
from shared.operations.capabilities import Bucket, Capability
from shared.operations.declaration import Operation
from shared.operations.registry import all_operations
from shared.operations.tenant_policies import holds_tenant_data, reaches_tenant_data
from tests.policies.mutations import OTHERS, TENANT, gone_wrong, legitimate, renamed
from tests.policies.simulator import simulate

pytestmark = [pytest.mark.real_server, pytest.mark.slow]

OPERATIONS = {one.id: one for one in all_operations()}


def policies_of(deployed, operation: Operation, tenant: str = TENANT):
    """Return the policies of one operation, named as requests name them."""
    role = deployed.tenant_role(operation)
    own = {f"{operation.id} own": deployed.own_role(operation)}
    if role is None:
        return own
    session = json.loads(deployed.session(operation, tenant))
    return {**own, f"{operation.id} tenant": role, f"{operation.id} session": session}


@pytest.fixture(scope="session")
def calls(recorded):
    return {renamed(call) for call in recorded if call.operation in OPERATIONS}


@pytest.fixture(scope="session")
def policies(deployed):
    return {name: text for one in OPERATIONS.values() for name, text in policies_of(deployed, one).items()}


@pytest.mark.parametrize(
    "operation", [one for one in OPERATIONS.values() if reaches_tenant_data(one.capabilities)], ids=lambda one: one.id
)
def test_every_operation_on_tenants_data_was_recorded_in_a_session(calls, operation):
    assert [call for call in calls if call.operation == operation.id and call.tenant == TENANT]


NOT_TRIED = {
    "of nobody: here all who sign in and join are known": (
        "accept_invitation identity.write-nobody", "sign_in identity.write-nobody",
    ),
    "of an operator, and here is none to appoint or dismiss": (
        "appoint_operator identity.read", "dismiss_operator identity.replace-memberships",
    ),
    "of a move that schedules went on with, which tests of cells cancel": (
        "cancel_tenant_move cells.read-registry", "cancel_tenant_move cells.write-registry",
    ),
    "of a repetition at the same moment": ("export_audit_log metadata.read",),
    "of documents and schedules that ended badly, which tests of ingestion and of keys bring about": (
        "fetch_url_source audit.append", "index_chunks audit.append", "parse_document audit.append",
        "recover_stuck_documents audit.append", "recover_stuck_documents identity.read",
        "recover_stuck_documents metadata.write", "recover_stuck_documents uploads.get",
        "rotate_signing_keys identity.write-public-keys", "sweep_generations audit.append",
        "sweep_generations cells.write", "sweep_generations uploads.delete",
    ),
    "of what the table of identity is written with, in the partitions of external sign-ins alone": (
        "start_oidc_sign_in audit.append", "start_oidc_sign_in identity.write",
    ),
}  # fmt: skip
"""What the suite makes no use of, by the reason."""


def is_use(capability: Capability, use: Use) -> bool:
    """Answer whether a call made use of a capability."""
    if use.address != capability.resource.name or use.action not in capability.actions + capability.actions_within:
        return False
    if use.index is not None or isinstance(capability.resource, Bucket):
        return use.action in capability.actions_within or use.index is None
    if capability.partitions:
        return any(fnmatchcase(key, pattern) for key in use.keys for pattern in capability.partitions)
    return use.action in capability.actions and any(key.startswith(f"t#{TENANT}") for key in use.keys)


def test_every_capability_on_tenants_data_was_made_use_of(calls):
    by_operation = defaultdict(list)
    for call in calls:
        by_operation[call.operation].extend(call.uses)

    unused = sorted(
        f"{operation.id} {capability.id}"
        for operation in OPERATIONS.values()
        for capability in operation.capabilities
        if holds_tenant_data(capability.resource)
        and not any(is_use(capability, use) for use in by_operation[operation.id])
    )

    assert unused == sorted(one for those in NOT_TRIED.values() for one in those)


def test_every_call_is_allowed_under_its_functions_policies(calls, policies, deployed):
    requests = sorted(legitimate(calls, deployed.arns), key=repr)

    allowed = simulate(policies, requests)

    assert [request for request, is_allowed in zip(requests, allowed, strict=True) if not is_allowed] == []
    assert len(requests) > 300


def test_no_call_that_went_wrong_is_allowed(calls, policies, deployed):
    found = sorted(gone_wrong(calls, deployed.arns), key=repr)

    allowed = simulate(policies, [request for _, request in found])

    assert [one for one, is_allowed in zip(found, allowed, strict=True) if is_allowed] == []
    kinds = Counter(what for what, _ in found)
    assert {f"the partition of {other!r}" for other in OTHERS} <= kinds.keys()
    assert {"an object of 'b'", "an object of 'ab'", "an object of ''"} <= kinds.keys()
    assert kinds["every partition"] > 100
    # Sealing by the stream, and what it left over by the schedule.
    assert kinds["a tenant's partition of an index without a session"] == 2
