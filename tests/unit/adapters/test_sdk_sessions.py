"""A process reads what it must know of each service of AWS once, however many operations it serves."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import pytest
from botocore.credentials import Credentials
from botocore.errorfactory import ClientExceptionsFactory
from botocore.loaders import JSONFileLoader

from shared.adapters.aws.clients import AwsClients
from shared.adapters.aws.sdk_sessions import new_sdk_session
from shared.adapters.aws.session_credentials import OneProvider


def anything(*_: Any) -> Any:
    return None


def test_descriptions_of_services_are_read_once_in_a_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    read: list[str] = []
    load_file = JSONFileLoader.load_file

    def noted(self: JSONFileLoader, path: str) -> Any:
        found = load_file(self, path)
        read.extend([path] if found is not None else [])
        return found

    monkeypatch.setattr(JSONFileLoader, "load_file", noted)

    for _ in range(3):
        clients = AwsClients(anything, anything, anything, anything)
        assert [clients.dynamodb, clients.s3, clients.prompt_sqs]

    assert len(read) == len(set(read))


CLIENTS = ("dynamodb", "prompt_dynamodb", "s3", "sqs", "prompt_sqs", "events", "secrets", "kms")


@pytest.mark.parametrize("name", CLIENTS)
def test_the_classes_of_a_clients_errors_are_there_before_threads_meet_one(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    client = getattr(AwsClients(anything, anything, anything, anything), name)
    made: list[Any] = []
    monkeypatch.setattr(ClientExceptionsFactory, "_create_client_exceptions", lambda _, model: made.append(model))

    assert client.exceptions.ClientError
    assert made == []


@pytest.mark.parametrize("name", CLIENTS)
def test_what_is_asked_of_aws_says_who_asks(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    client = getattr(AwsClients(anything, anything, anything, anything), name)

    assert client.meta.config.user_agent.startswith("Tessera")
    assert client.meta.config.retries["mode"] == "standard"


def test_one_thread_at_a_time_makes_clients(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    clients, together = AwsClients(anything, anything, anything, anything), threading.Barrier(len(CLIENTS))
    alone, disturbed = threading.Lock(), []
    make = boto3.Session.client

    def watched(*arguments: Any, **options: Any) -> Any:
        first = alone.acquire(blocking=False)
        disturbed.append(not first)
        try:
            time.sleep(0.01)  # lets other threads run
            return make(*arguments, **options)
        finally:
            if first:
                alone.release()

    monkeypatch.setattr(boto3.Session, "client", watched)

    def asked(name: str) -> Any:
        together.wait()
        return getattr(clients, name)

    with ThreadPoolExecutor(len(CLIENTS)) as threads:
        assert len(list(threads.map(asked, CLIENTS))) == len(disturbed)
    assert not any(disturbed)


def test_each_session_has_credentials_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    def key_of(session: Any) -> str:
        return str(session.get_credentials().access_key)

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "of-the-process")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    given = new_sdk_session(OneProvider(Credentials("given", "secret")))

    assert [key_of(given), key_of(new_sdk_session())] == ["given", "of-the-process"]
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "another")
    assert [key_of(given), key_of(new_sdk_session())] == ["given", "another"]
