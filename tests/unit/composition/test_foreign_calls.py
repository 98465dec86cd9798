"""Whatever call of an AWS client reaches another tenant, in whatever way it can be written, is refused unsent (T5).

Each call stands beside the same one for the own tenant, which goes on to be signed: it is its tenant that is refused.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from shared.adapters.aws.clients import AwsClients
from shared.audit.acts import acting
from shared.composition.services import Services
from shared.composition.settings import REGION, Settings
from shared.kernel.ids import TenantId
from shared.kernel.tenants import TenantContextError
from shared.operations.capabilities import CREDENTIALS_KEY, EMBEDDINGS, EVENTS, LIMITS, PARSE_QUEUE, RESOURCES, UPLOADS
from shared.operations.grants import Grants, UndeclaredUseError
from shared.operations.registry import all_operations
from shared.operations.tenant_policies import TENANT_ROLE
from shared.operations.tenants import within
from tests.records import act_of_test

ACME, GLOBEX = TenantId("acme"), TenantId("globex")
TABLE, OTHER_TABLE, BUCKET, QUEUE, KEY, BUS = (
    EMBEDDINGS.name,
    LIMITS.name,
    UPLOADS.name,
    PARSE_QUEUE.name,
    CREDENTIALS_KEY.name,
    EVENTS.name,
)
STATEMENT = "SELECT * FROM embeddings"


class SignedError(Exception):
    """A call went on to be signed."""


@pytest.fixture(scope="module")
def clients() -> Iterator[AwsClients]:
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "test")
        patch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
        settings = Settings(
            {one.variable: one.name for one in RESOURCES}
            | {TENANT_ROLE: "arn:aws:iam::123456789012:role/any", REGION: "eu-central-1"}
        )
        grants = Grants({EVENTS.publish} | {use for one in all_operations() for use in one.capabilities}, "any")
        clients = Services(grants, settings)._adapters.aws
        for client in (clients.dynamodb, clients.s3, clients.sqs, clients.events, clients.kms):
            client.meta.events.register("before-sign", _signed)
        patch.setattr(clients._credentials, "get_frozen_credentials", _signed)
        yield clients


def _signed(**_: Any) -> None:
    raise SignedError


def item(tenant: str) -> dict[str, Any]:
    return {"pk": {"S": f"t#{tenant}#kb"}, "sk": {"S": "x"}}


def queried(tenant: str, condition: str = "pk = :pk", **more: Any) -> dict[str, Any]:
    values = {":pk": {"S": f"t#{tenant}"}, ":own": {"S": f"t#{ACME}"}}
    named = {name: value for name, value in values.items() if name in condition}
    return {"TableName": TABLE, "KeyConditionExpression": condition, "ExpressionAttributeValues": named, **more}


def put(tenant: str, table: str = TABLE) -> dict[str, Any]:
    return {"Put": {"TableName": table, "Item": item(tenant)}}


def message(tenant: str) -> str:
    return json.dumps({"tenant": tenant, "kb_id": "kb_1"})


def event(tenant: str) -> dict[str, str]:
    return {"EventBusName": BUS, "Detail": message(tenant), "DetailType": "x", "Source": "x"}


CALLS: dict[str, tuple[str, str, Any]] = {
    "an item": ("dynamodb", "get_item", lambda tenant: {"TableName": TABLE, "Key": item(tenant)}),
    "an item put": ("dynamodb", "put_item", lambda tenant: {"TableName": TABLE, "Item": item(tenant)}),
    "an item changed": ("dynamodb", "update_item", lambda tenant: {"TableName": TABLE, "Key": item(tenant)}),
    "an item deleted": ("dynamodb", "delete_item", lambda tenant: {"TableName": TABLE, "Key": item(tenant)}),
    "one of many items": (
        "dynamodb", "batch_get_item", lambda tenant: {"RequestItems": {TABLE: {"Keys": [item(ACME), item(tenant)]}}}
    ),
    "one of many items in another table": (
        "dynamodb", "batch_get_item",
        lambda tenant: {"RequestItems": {TABLE: {"Keys": [item(ACME)]}, OTHER_TABLE: {"Keys": [item(tenant)]}}},
    ),
    "one of many items put": (
        "dynamodb", "batch_write_item",
        lambda tenant: {"RequestItems": {TABLE: [{"PutRequest": {"Item": item(one)}} for one in (ACME, tenant)]}},
    ),
    "one of many items deleted": (
        "dynamodb", "batch_write_item",
        lambda tenant: {"RequestItems": {TABLE: [
            {"PutRequest": {"Item": item(ACME)}}, {"DeleteRequest": {"Key": item(tenant)}}]}},
    ),
    "a part of a transaction": (
        "dynamodb", "transact_write_items", lambda tenant: {"TransactItems": [put(ACME), put(tenant)]}
    ),
    "a part of a transaction in another table": (
        "dynamodb", "transact_write_items", lambda tenant: {"TransactItems": [put(ACME), put(tenant, OTHER_TABLE)]}
    ),
    "what a transaction looks at": (
        "dynamodb", "transact_write_items",
        lambda tenant: {"TransactItems": [put(ACME), {"ConditionCheck": {
            "TableName": TABLE, "Key": item(tenant), "ConditionExpression": "attribute_exists(pk)"}}]},
    ),
    "what a transaction changes": (
        "dynamodb", "transact_write_items",
        lambda tenant: {"TransactItems": [put(ACME), {"Update": {
            "TableName": TABLE, "Key": item(tenant), "UpdateExpression": "REMOVE x"}}]},
    ),
    "what a transaction deletes": (
        "dynamodb", "transact_write_items",
        lambda tenant: {"TransactItems": [put(ACME), {"Delete": {"TableName": TABLE, "Key": item(tenant)}}]},
    ),
    "what a transaction reads": (
        "dynamodb", "transact_get_items",
        lambda tenant: {"TransactItems": [
            {"Get": {"TableName": TABLE, "Key": item(one)}} for one in (ACME, tenant)]},
    ),
    "a query": ("dynamodb", "query", queried),
    "a query of part of a partition": (
        "dynamodb", "query", lambda tenant: queried(tenant, "pk = :pk AND begins_with(sk, :own)")
    ),
    "an object": ("s3", "get_object", lambda tenant: {"Bucket": BUCKET, "Key": f"t/{tenant}/kb/x"}),
    "a version": (
        "s3", "get_object", lambda tenant: {"Bucket": BUCKET, "Key": f"t/{tenant}/kb/x", "VersionId": "1"}
    ),
    "what is known of an object": ("s3", "head_object", lambda tenant: {"Bucket": BUCKET, "Key": f"t/{tenant}/kb/x"}),
    "an object put": ("s3", "put_object", lambda tenant: {"Bucket": BUCKET, "Key": f"t/{tenant}/kb/x", "Body": b""}),
    "an object deleted": ("s3", "delete_object", lambda tenant: {"Bucket": BUCKET, "Key": f"t/{tenant}/kb/x"}),
    "a version destroyed": (
        "s3", "delete_object", lambda tenant: {"Bucket": BUCKET, "Key": f"t/{tenant}/kb/x", "VersionId": "1"}
    ),
    "a listing": ("s3", "list_objects_v2", lambda tenant: {"Bucket": BUCKET, "Prefix": f"t/{tenant}/"}),
    "a listing of versions": (
        "s3", "list_object_versions", lambda tenant: {"Bucket": BUCKET, "Prefix": f"t/{tenant}/"}
    ),
    "a link": (
        "s3", "generate_presigned_url",
        lambda tenant: {"ClientMethod": "get_object", "Params": {"Bucket": BUCKET, "Key": f"t/{tenant}/kb/x"}},
    ),
    "a message": ("sqs", "send_message", lambda tenant: {"QueueUrl": QUEUE, "MessageBody": message(tenant)}),
    "a message in a turn": (
        "sqs", "send_message",
        lambda tenant: {"QueueUrl": QUEUE, "MessageBody": message(ACME), "MessageGroupId": tenant},
    ),
    "one of many messages": (
        "sqs", "send_message_batch",
        lambda tenant: {"QueueUrl": QUEUE, "Entries": [
            {"Id": str(number), "MessageBody": message(one)} for number, one in enumerate((ACME, tenant))]},
    ),
    "one of many events": ("events", "put_events", lambda tenant: {"Entries": [event(ACME), event(tenant)]}),
    "a secret sealed": (
        "kms", "encrypt",
        lambda tenant: {"KeyId": KEY, "Plaintext": b"x", "EncryptionContext": {"tenant": tenant}},
    ),
    "a secret opened": (
        "kms", "decrypt",
        lambda tenant: {"KeyId": KEY, "CiphertextBlob": b"x", "EncryptionContext": {"tenant": tenant}},
    ),
}  # fmt: skip
"""By what each call reaches: the client, its method, and the parameters for a tenant."""

NEVER: dict[str, tuple[str, str, dict[str, Any]]] = {
    "a table read through": ("dynamodb", "scan", {"TableName": TABLE}),
    "PartiQL": ("dynamodb", "execute_statement", {"Statement": STATEMENT}),
    "PartiQL of many": ("dynamodb", "batch_execute_statement", {"Statements": [{"Statement": STATEMENT}]}),
    "PartiQL together": (
        "dynamodb", "execute_transaction", {"TransactStatements": [{"Statement": STATEMENT}]}
    ),
    "a query that names its key otherwise": (
        "dynamodb", "query", queried(GLOBEX, "#pk = :pk", ExpressionAttributeNames={"#pk": "pk"})
    ),
    "a query that names its key last": ("dynamodb", "query", queried(GLOBEX, "sk = :own AND pk = :pk")),
    "a query in brackets": ("dynamodb", "query", queried(GLOBEX, "(pk = :pk)")),
    "a query of old": (
        "dynamodb", "query",
        {"TableName": TABLE, "KeyConditions": {"pk": {
            "AttributeValueList": [{"S": f"t#{GLOBEX}"}], "ComparisonOperator": "EQ"}}},
    ),
    "a copy of another's object": (
        "s3", "copy_object", {"Bucket": BUCKET, "Key": f"t/{ACME}/kb/x", "CopySource": f"{BUCKET}/t/{GLOBEX}/kb/x"}
    ),
    "a part copied from another's object": (
        "s3", "upload_part_copy",
        {"Bucket": BUCKET, "Key": f"t/{ACME}/kb/x", "CopySource": f"{BUCKET}/t/{GLOBEX}/kb/x", "PartNumber": 1,
         "UploadId": "1"},
    ),
    "an upload in parts": ("s3", "create_multipart_upload", {"Bucket": BUCKET, "Key": f"t/{ACME}/kb/x"}),
    "many objects at once": (
        "s3", "delete_objects", {"Bucket": BUCKET, "Delete": {"Objects": [{"Key": f"t/{ACME}/kb/x", "VersionId": "1"}]}}
    ),
    "an object made public": (
        "s3", "put_object_acl", {"Bucket": BUCKET, "Key": f"t/{ACME}/kb/x", "ACL": "public-read"}
    ),
    "a listing of old": ("s3", "list_objects", {"Bucket": BUCKET, "Prefix": f"t/{GLOBEX}/"}),
    "a listing of all": ("s3", "list_objects_v2", {"Bucket": BUCKET}),
    "a listing above the prefix": ("s3", "list_objects_v2", {"Bucket": BUCKET, "Prefix": f"t/{ACME}"}),
    "a link to a copy": (
        "s3", "generate_presigned_url",
        {"ClientMethod": "copy_object",
         "Params": {"Bucket": BUCKET, "Key": f"t/{ACME}/kb/x", "CopySource": f"{BUCKET}/t/{GLOBEX}/kb/x"}},
    ),
    "a message of nobody": ("sqs", "send_message", {"QueueUrl": QUEUE, "MessageBody": "{}"}),
    "a secret sealed anew": (
        "kms", "re_encrypt",
        {"CiphertextBlob": b"x", "DestinationKeyId": KEY, "SourceEncryptionContext": {"tenant": GLOBEX},
         "DestinationEncryptionContext": {"tenant": ACME}},
    ),
}  # fmt: skip
"""Calls that nobody of ours makes, whoever they are for: what a call that cannot be read reaches, nobody knows."""


@pytest.mark.parametrize("what", CALLS)
def test_what_reaches_another_tenant_is_refused_and_what_reaches_the_own_is_signed(clients, what):
    client, method, parameters = CALLS[what]
    ask = getattr(getattr(clients, client), method)
    with within(ACME), acting(act_of_test()):
        with pytest.raises(TenantContextError):
            ask(**parameters(GLOBEX))
        with pytest.raises(SignedError):
            ask(**parameters(ACME))


@pytest.mark.parametrize("what", NEVER)
def test_what_nobody_of_ours_sends_is_refused(clients, what):
    client, method, parameters = NEVER[what]
    ask = getattr(getattr(clients, client), method)
    with within(ACME), acting(act_of_test()), pytest.raises((TenantContextError, UndeclaredUseError)):
        ask(**parameters)
