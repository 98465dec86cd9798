"""Tokens that stand in the place of passwords: signed requests that are made anew in time."""

from urllib.parse import parse_qs, urlsplit

import pytest
from botocore.credentials import Credentials
from botocore.exceptions import NoCredentialsError

from shared.adapters.aws.connect_tokens import LIFETIME_S, RENEWED_AFTER_S, ConnectTokens


def tokens(now: list[float]) -> ConnectTokens:
    keys = Credentials("AKIDEXAMPLE", "secret", "session")
    return ConnectTokens("rds-db", "db.example.com:5433", "Action=connect", "eu-central-1", keys, lambda: now[0])


def test_token_is_signed_for_a_service_of_a_region_and_ends() -> None:
    query = parse_qs(urlsplit(f"https://{tokens([0.0])()}").query)

    assert query["Action"] == ["connect"]
    assert query["X-Amz-Expires"] == [str(LIFETIME_S)]
    assert query["X-Amz-Credential"][0].endswith("/eu-central-1/rds-db/aws4_request")
    assert query["X-Amz-Security-Token"] == ["session"]
    assert query["X-Amz-Signature"]


def test_token_is_made_anew_before_it_ends() -> None:
    now = [0.0]
    made = tokens(now)
    first = made()

    now[0] = RENEWED_AFTER_S - 1
    assert made() is first
    now[0] = RENEWED_AFTER_S
    assert made() is not first
    assert RENEWED_AFTER_S < LIFETIME_S


def test_without_credentials_there_is_no_token(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")

    with pytest.raises(NoCredentialsError):
        ConnectTokens("rds-db", "db.example.com", "Action=connect", "eu-central-1")()
