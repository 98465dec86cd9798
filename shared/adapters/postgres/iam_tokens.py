"""Signing in to Aurora with the function's own role instead of a password."""

from collections.abc import Callable
from urllib.parse import urlencode

from shared.adapters.aws.connect_tokens import ConnectTokens
from shared.adapters.postgres.addresses import DatabaseAddress


def iam_tokens(address: DatabaseAddress, made: Callable[..., ConnectTokens] = ConnectTokens) -> ConnectTokens:
    """Return the passwords of the user whom `address` names."""
    query = urlencode({"Action": "connect", "DBUser": address.user})
    return made("rds-db", f"{address.host}:{address.port}", query)
