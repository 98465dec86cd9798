"""A connection to Redis, chosen by its address: plain, over TLS, and in ElastiCache signed in by IAM.

The client is a synchronous one on purpose. Mangum and `asyncio.run` may give every invocation a loop of its own, and an
asyncio connection dies with its loop; a thread costs more than the call, which takes a tenth of a millisecond. So the
call blocks, and short time-outs bound for how long (decision 0015).
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha1
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from redis import Redis, RedisCluster
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError, RedisClusterException, RedisError
from redis.maint_notifications import MaintNotificationsConfig
from redis.retry import Retry

from shared.limits.errors import LimitsUnavailableError

CONNECT_TIMEOUT_S: Final = 0.5
ANSWER_TIMEOUT_S: Final = 0.25

_log = logging.getLogger("tessera.limits")


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """What an address says: where the server is, and how it wants to be spoken to.

    `iam_user` signs in to the ElastiCache cache `iam_cache` with a token of its own making; both None without IAM.
    """

    url: str
    is_cluster: bool = False
    iam_user: str | None = None
    iam_cache: str | None = None


def read_address(address: str) -> ServerAddress:
    """Read `redis://host:port` or `rediss://…` (TLS, the server's certificate is checked; `ssl_ca_certs` names roots).

    `rediss://<user>@<host>:<port>/?iam=<cache>` signs in by IAM; such a cache shows itself as a cluster, like the
    server of an address with `?cluster=true`.
    """
    parts = urlsplit(address)
    query = dict(parse_qsl(parts.query))
    cache, is_cluster = query.pop("iam", None), query.pop("cluster", None) == "true"
    rest = urlencode(query, safe="/")
    if cache is None:
        return ServerAddress(urlunsplit(parts._replace(query=rest)), is_cluster)
    url = urlunsplit(parts._replace(query=rest, netloc=parts.netloc.rpartition("@")[2]))
    return ServerAddress(url, is_cluster=True, iam_user=parts.username or "", iam_cache=cache)


class Connection:
    """Runs scripts on the server at an address; it connects when it is first used, and again when it must."""

    def __init__(self, address: str) -> None:
        self._address = read_address(address)
        self._hash_by_script: dict[str, str] = {}

    def run(self, script: str, keys: Sequence[str], arguments: Sequence[str | int]) -> Any:
        """Run a script by its hash; hand it over to a server that does not know it. Raises: LimitsUnavailableError."""
        try:
            try:
                return self._client.evalsha(self._hash_of(script), len(keys), *keys, *arguments)
            except NoScriptError:
                return self._client.eval(script, len(keys), *keys, *arguments)
        except (RedisError, RedisClusterException, OSError) as error:
            _log.warning("limits out of reach", exc_info=error)
            raise LimitsUnavailableError from error

    def close(self) -> None:
        if "_client" in self.__dict__:
            self._client.close()

    @cached_property
    def _client(self) -> Redis | RedisCluster:
        """A cluster's client asks the server at once, so it is made when it is needed and not before."""
        options: dict[str, Any] = {
            "socket_connect_timeout": CONNECT_TIMEOUT_S,
            "socket_timeout": ANSWER_TIMEOUT_S,
            # A lost answer may have been counted; asking again would count twice, and double the wait.
            "retry": Retry(NoBackoff(), 0),
            # What else the client would say while it connects costs a round trip each.
            "protocol": 2,
            "driver_info": None,
            "maint_notifications_config": MaintNotificationsConfig(enabled=False),
        }
        address = self._address
        if address.iam_user is not None and address.iam_cache is not None:
            from shared.adapters.redis.iam_credentials import iam_credentials

            options["credential_provider"] = iam_credentials(address.iam_user, address.iam_cache)
        if address.is_cluster:
            return RedisCluster.from_url(address.url, **options)
        return Redis.from_url(address.url, **options)

    def _hash_of(self, script: str) -> str:
        known = self._hash_by_script.get(script)
        if known is None:
            known = self._hash_by_script[script] = sha1(script.encode(), usedforsecurity=False).hexdigest()
        return known
