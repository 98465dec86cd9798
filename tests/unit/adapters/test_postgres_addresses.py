"""Addresses of databases, and the tokens that are passwords there."""

from urllib.parse import parse_qs, urlsplit

import pytest
from botocore.credentials import Credentials
from botocore.exceptions import NoCredentialsError

from shared.adapters.postgres.addresses import DatabaseAddress, read_address
from shared.adapters.postgres.iam_tokens import LIFETIME_S, RENEWED_AFTER_S, IamTokens

AURORA = "postgresql://tessera_app@db.example.com:5433/tessera?iam=true&tls=encrypt"


def test_address_of_the_local_cloud_needs_neither_password_nor_encryption() -> None:
    address = read_address("postgresql://tessera_app@127.0.0.1:5432/tessera")

    assert address == DatabaseAddress("127.0.0.1", 5432, "tessera", "tessera_app")
    assert address.tls_context() is None


def test_address_of_aurora_is_signed_in_to_by_iam_over_tls() -> None:
    address = read_address(AURORA)

    assert address.signs_in_by_iam
    assert address.tls_context() == "require"
    assert read_address(AURORA.replace("encrypt", "verify")).tls_context().check_hostname  # type: ignore[union-attr]


def test_password_may_hold_anything() -> None:
    assert read_address("postgresql://u:p%40%3A%2F@h/d").password == "p@:/"


@pytest.mark.parametrize(
    "address",
    [
        "", "mysql://u@h/d", "postgresql://u@h", "postgresql:///d", "postgresql://u@h/d?iam=true",
        "postgresql://u@h/d?iam=yes&tls=verify", "postgresql://u@h/d?tls=maybe", "postgresql://u@h/d?sslmode=disable",
    ],
)  # fmt: skip
def test_address_that_cannot_be_meant_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match=r"looks like|is none|travels|is true|not enough|bad query"):
        read_address(address)


def tokens(now: list[float]) -> IamTokens:
    return IamTokens(read_address(AURORA), "eu-central-1", Credentials("AKIDEXAMPLE", "secret"), lambda: now[0])


def test_token_is_a_signed_request_to_connect_as_one_user() -> None:
    token = tokens([0.0])()

    url = urlsplit(f"https://{token}")
    query = parse_qs(url.query)
    assert url.netloc == "db.example.com:5433"
    assert query["Action"] == ["connect"]
    assert query["DBUser"] == ["tessera_app"]
    assert query["X-Amz-Expires"] == [str(LIFETIME_S)]
    assert query["X-Amz-Credential"][0].endswith("/eu-central-1/rds-db/aws4_request")
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
        IamTokens(read_address(AURORA), "eu-central-1")()
