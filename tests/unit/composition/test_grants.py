"""An undeclared use raises, whoever makes it, before anything is sent."""

import pytest
from botocore.stub import Stubber

from shared.adapters.aws.clients import AwsClients
from shared.composition.services import Services
from shared.composition.settings import MissingSettingError, Settings
from shared.kernel.ids import TenantId
from shared.operations.capabilities import ARTIFACTS, CREDENTIALS_KEY, METADATA, PARSE_QUEUE, SIGNING_KEYS, UPLOADS
from shared.operations.grants import Grants, UndeclaredUseError
from shared.operations.tenants import within

KEY = {"pk": {"S": "t#acme"}, "sk": {"S": "x"}}


@pytest.fixture(autouse=True)
def aws_environment(monkeypatch):
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")


def clients_with(*capabilities) -> AwsClients:
    settings = Settings(
        {
            "TESSERA_METADATA": "table",
            "TESSERA_UPLOADS": "uploads-bucket",
            "TESSERA_SIGNING_KEYS": "arn:secret",
            "TESSERA_CREDENTIALS_KEY": "arn:key",
            "TESSERA_TENANT_ROLE": "arn:aws:iam::000000000000:role/tenant",
            "AWS_REGION": "eu-central-1",
        }
    )
    services = Services(Grants(capabilities), settings)
    return services._adapters.aws


def test_declared_action_passes_the_guard():
    clients = clients_with(METADATA.read)

    with Stubber(clients.dynamodb) as stub, within(TenantId("acme")):
        stub.add_response("get_item", {})
        assert "Item" not in clients.dynamodb.get_item(TableName="table", Key=KEY)


@pytest.mark.parametrize(("client", "method", "arguments"), [
    ("dynamodb", "put_item", {"TableName": "table", "Item": KEY}),
    ("dynamodb", "get_item", {"TableName": "another", "Key": KEY}),
    ("dynamodb", "transact_write_items", {"TransactItems": [{"Put": {"TableName": "table", "Item": KEY}}]}),
    ("dynamodb", "batch_write_item", {"RequestItems": {"table": [{"PutRequest": {"Item": KEY}}]}}),
    ("dynamodb", "scan", {"TableName": "table"}),
    ("s3", "get_object", {"Bucket": "uploads-bucket", "Key": "k"}),
    ("sqs", "send_message", {"QueueUrl": "q", "MessageBody": "{}"}),
    ("secrets", "get_secret_value", {"SecretId": "arn:secret"}),
    ("kms", "decrypt", {"KeyId": "arn:key", "CiphertextBlob": b"sealed"}),
])  # fmt: skip
def test_undeclared_action_is_refused_before_it_is_sent(client, method, arguments):
    clients = clients_with(METADATA.read)

    with pytest.raises(UndeclaredUseError):
        getattr(getattr(clients, client), method)(**arguments)


@pytest.mark.parametrize(("client", "method", "arguments"), [
    ("secrets", "put_secret_value", {"SecretId": "arn:secret", "SecretString": "{}"}),
    ("secrets", "get_secret_value", {"SecretId": "arn:another"}),
    ("kms", "encrypt", {"KeyId": "arn:key", "Plaintext": b"open"}),
    ("kms", "decrypt", {"CiphertextBlob": b"sealed with whatever key"}),
])  # fmt: skip
def test_who_reads_keys_may_neither_write_nor_open_anything_else(client, method, arguments):
    clients = clients_with(SIGNING_KEYS.read, CREDENTIALS_KEY.open)

    with Stubber(clients.secrets) as stub:
        stub.add_response("get_secret_value", {"SecretString": "{}"})
        assert clients.secrets.get_secret_value(SecretId="arn:secret")["SecretString"] == "{}"
    with pytest.raises(UndeclaredUseError):
        getattr(getattr(clients, client), method)(**arguments)


def test_reading_a_version_needs_the_version_action():
    clients = clients_with(UPLOADS.put)

    with pytest.raises(UndeclaredUseError, match="GetObjectVersion"):
        clients.s3.get_object(Bucket="uploads-bucket", Key="k", VersionId="v")


def test_guard_stands_in_front_of_signed_addresses_too():
    clients = clients_with(UPLOADS.put)

    with pytest.raises(UndeclaredUseError):
        clients.s3.generate_presigned_url("get_object", Params={"Bucket": "uploads-bucket", "Key": "k"})


def test_requiring_an_undeclared_capability_names_it():
    with pytest.raises(UndeclaredUseError, match=r"artifacts\.get"):
        Grants([METADATA.read]).require(METADATA.read, ARTIFACTS.get)


def test_missing_setting_names_its_variable():
    with pytest.raises(MissingSettingError, match="TESSERA_PARSE_QUEUE"):
        Settings({}).address_of(PARSE_QUEUE)
