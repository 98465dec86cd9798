"""Deployed functions reach one tenant at a time: by their guard, and by the roles and sessions that they would get.

The emulator enforces no policy. So the policies are judged as they stand in it, for the settings that functions have,
and the guard by a deployed function's own code and settings that reach for another tenant.
"""

import json
import secrets
import urllib.parse
import urllib.request
from typing import Any

import boto3
import pytest

from localstack import aws
from localstack.emulator import ACCOUNT, CREDENTIAL, REGION
from shared.composition.settings import Settings
from shared.composition.tenant_access import TenantAccess
from shared.kernel.clock import SystemClock
from shared.kernel.ids import TenantId
from shared.operations.capabilities import Bucket, Table
from shared.operations.declaration import Operation
from shared.operations.grants import Grants
from shared.operations.registry import all_operations
from shared.operations.tenant_policies import TENANT_ROLE, reaches_tenant_data
from tests.local_cloud.planted import planted
from tests.local_cloud.watching import FUNCTIONS
from tests.policies.mutations import LEADING_KEYS, OTHERS, TENANT
from tests.policies.simulator import Request, simulate

pytestmark = [pytest.mark.real_server, pytest.mark.slow]

OPERATIONS = all_operations()

GONE_WRONG = """
import boto3

from shared.composition.services import services_for
from shared.composition.settings import Settings
from shared.operations.capabilities import METADATA, UPLOADS
from shared.operations.registry import load_operation
from shared.operations.tenants import within


def handler(event, context):
    settings = Settings()
    clients = services_for(load_operation(*settings.operation.split(".")), settings)._adapters.aws
    sent = []
    for client, service in ((clients.dynamodb, "dynamodb"), (clients.s3, "s3")):
        client.meta.events.register(f"before-send.{service}", lambda **_: sent.append(service))
    try:
        with within(event["works_for"]):
            if event["store"] == "table":
                key = {"pk": {"S": f"t#{event['reaches']}"}, "sk": {"S": "any"}}
                clients.dynamodb.get_item(TableName=settings.address_of(METADATA), Key=key)
                signer = clients.dynamodb
            else:
                key = f"t/{event['reaches']}/kb/any"
                clients.s3.list_object_versions(Bucket=settings.address_of(UPLOADS), Prefix=key)
                signer = clients.s3
            used = signer._request_signer._credentials.get_frozen_credentials()
    except Exception as error:
        return {"refused": type(error).__name__, "sent": len(sent)}
    as_signed = boto3.client("sts", aws_access_key_id=used.access_key, aws_secret_access_key=used.secret_key,
                             aws_session_token=used.token)
    return {"signed_by": as_signed.get_caller_identity()["Arn"], "sent": len(sent)}
"""


@pytest.fixture(scope="module")
def configurations(local_cloud) -> dict[str, dict[str, Any]]:
    """What each function was deployed with, by its operation's id."""
    pages = aws.functions(local_cloud.emulator.endpoint).get_paginator("list_functions").paginate()
    found = {one["FunctionName"].removeprefix(FUNCTIONS): dict(one) for page in pages for one in page["Functions"]}
    return {one.id: found[one.id] for one in OPERATIONS}


def variables_of(configuration: dict[str, Any]) -> dict[str, str]:
    variables: dict[str, str] = configuration["Environment"]["Variables"]
    return variables


@pytest.fixture(scope="module")
def iam(local_cloud) -> Any:
    return boto3.client(
        "iam",
        endpoint_url=local_cloud.emulator.endpoint,
        region_name=REGION,
        aws_access_key_id=CREDENTIAL,
        aws_secret_access_key=CREDENTIAL,
    )


def statements_of(iam, role: str) -> list[dict[str, Any]]:
    """Return the statements of a role as they stand in the emulator."""
    documents = [
        iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        for name in iam.list_role_policies(RoleName=role)["PolicyNames"]
    ]
    return [statement for document in documents for statement in document["Statement"]]


def test_functions_that_reach_tenants_are_told_of_a_role_that_stands_and_nobody_else_is(configurations, iam):
    for operation in OPERATIONS:
        role = variables_of(configurations[operation.id]).get(TENANT_ROLE)

        assert (role is not None) == reaches_tenant_data(operation.capabilities), operation.id
        if role is None:
            continue
        own = configurations[operation.id]["Role"]
        found = iam.get_role(RoleName=role.rpartition("/")[2])["Role"]
        (trusted,) = found["AssumeRolePolicyDocument"]["Statement"]
        assert (found["Arn"], trusted["Principal"]) == (role, {"AWS": own}), operation.id
        assumes = [one for one in statements_of(iam, own.rpartition("/")[2]) if "sts:AssumeRole" in one["Action"]]
        assert [one["Resource"] for one in assumes] == [role], operation.id


def test_roles_and_sessions_as_deployed_reach_one_tenant(configurations, iam):
    policies: dict[str, Any] = {}
    own: list[Request] = []
    foreign: list[Request] = []
    for operation in (one for one in OPERATIONS if reaches_tenant_data(one.capabilities)):
        settings = Settings({**variables_of(configurations[operation.id]), "AWS_REGION": REGION})
        access = TenantAccess(Grants(operation.capabilities, operation.id), settings, SystemClock())
        role = settings.tenant_role.rpartition("/")[2]
        names = (f"{operation.id} tenant", f"{operation.id} session")
        policies[names[0]] = {"Version": "2012-10-17", "Statement": statements_of(iam, role)}
        policies[names[1]] = json.loads(access._policy(TenantId(TENANT)))
        own += requests_for(TENANT, operation, settings, names)
        foreign += [one for other in OTHERS for one in requests_for(other, operation, settings, names)]

    allowed, reached = simulate(policies, own), simulate(policies, foreign)

    assert [one for one, is_allowed in zip(own, allowed, strict=True) if not is_allowed] == []
    assert [one for one, is_allowed in zip(foreign, reached, strict=True) if is_allowed] == []
    assert len(own) > 100


def requests_for(tenant: str, operation: Operation, settings: Settings, names: tuple[str, str]) -> list[Request]:
    """Return one request for each action that an operation declares on a tenant's partitions and objects."""
    requests = []
    for use in operation.capabilities:
        if isinstance(use.resource, Table) and not use.partitions:
            arn = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{settings.address_of(use.resource)}"
            context = {LEADING_KEYS: [f"t#{tenant}#kb"]}
            requests += [
                Request(*names, action=one, resource=arn, context=context, account=ACCOUNT) for one in use.actions
            ]
        elif isinstance(use.resource, Bucket) and "*" not in tenant:  # the simulator would take it for any object
            arn = f"arn:aws:s3:::{settings.address_of(use.resource)}/t/{tenant}/kb/any"
            requests += [Request(*names, action=one, resource=arn, account=ACCOUNT) for one in use.actions_within]
    return requests


@pytest.mark.parametrize(
    ("operation_id", "store"),
    [("get_knowledge_base", "table"), ("download_document", "table"), ("delete_document", "bucket")],
)
def test_deployed_function_that_reaches_for_another_tenant_is_refused(configurations, local_cloud, operation_id, store):
    configuration = configurations[operation_id]
    functions = aws.functions(local_cloud.emulator.endpoint)
    location = functions.get_function(FunctionName=f"{FUNCTIONS}{operation_id}")["Code"]["Location"]
    with urllib.request.urlopen(at(local_cloud, location)) as answered:  # noqa: S310 (the emulator's own address)
        code = answered.read()
    name = f"planted-{secrets.token_hex(4)}"
    acme, globex = f"tenant-{secrets.token_hex(6)}", f"tenant-{secrets.token_hex(6)}"

    with planted(
        local_cloud.emulator, name, GONE_WRONG, code, variables_of(configuration), configuration["Role"]
    ) as function:
        own = function.invoke({"store": store, "works_for": acme, "reaches": acme})
        foreign = function.invoke({"store": store, "works_for": acme, "reaches": globex})
        longer = function.invoke({"store": store, "works_for": acme, "reaches": f"{acme}0"})

    role = variables_of(configuration)[TENANT_ROLE].rpartition("/")[2]
    assert own == {"sent": 1, "signed_by": f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{acme}"}
    assert foreign == longer == {"refused": "TenantContextError", "sent": 0}


def at(local_cloud, location: str) -> str:
    """Return an address of the emulator's with the host that it listens on."""
    return urllib.parse.urlsplit(location)._replace(netloc=f"127.0.0.1:{local_cloud.emulator.port}").geturl()
