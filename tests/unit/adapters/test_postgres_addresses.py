"""Addresses of databases, and the tokens that are passwords there."""

from functools import partial
from urllib.parse import parse_qs, urlsplit

import pytest
from botocore.credentials import Credentials

from shared.adapters.aws.connect_tokens import ConnectTokens
from shared.adapters.postgres.addresses import DatabaseAddress, read_address
from shared.adapters.postgres.iam_tokens import iam_tokens

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


def test_token_is_a_signed_request_to_connect_as_one_user() -> None:
    keys = Credentials("AKIDEXAMPLE", "secret")
    token = iam_tokens(read_address(AURORA), partial(ConnectTokens, region="eu-central-1", credentials=keys))()

    url = urlsplit(f"https://{token}")
    query = parse_qs(url.query)
    assert url.netloc == "db.example.com:5433"
    assert query["Action"] == ["connect"]
    assert query["DBUser"] == ["tessera_app"]
    assert query["X-Amz-Credential"][0].endswith("/eu-central-1/rds-db/aws4_request")
