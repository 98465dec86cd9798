"""Signing in to ElastiCache with the function's own role instead of a password."""

from collections.abc import Callable
from urllib.parse import urlencode

from botocore.exceptions import BotoCoreError
from redis import CredentialProvider
from redis.exceptions import AuthenticationError

from shared.adapters.aws.connect_tokens import ConnectTokens


class IamCredentials(CredentialProvider):
    """Name and token of one user of one serverless cache."""

    def __init__(self, user: str, tokens: ConnectTokens) -> None:
        self._user = user
        self._tokens = tokens

    def get_credentials(self) -> tuple[str, str]:
        try:
            return self._user, self._tokens()
        except BotoCoreError as error:
            raise AuthenticationError("No credentials to sign in to the cache with.") from error


def iam_credentials(
    user: str, cache: str, made: Callable[..., ConnectTokens] = ConnectTokens
) -> IamCredentials:  # fmt: skip
    """Return what signs `user` in to the serverless cache of that name."""
    query = urlencode({"Action": "connect", "ResourceType": "ServerlessCache", "User": user})
    return IamCredentials(user, made("elasticache", cache, query))
