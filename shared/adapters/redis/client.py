"""A connection to Redis, chosen by its address: plain, over TLS, and in ElastiCache signed in by IAM.

The client is a synchronous one on purpose. Mangum and `asyncio.run` may give every invocation a loop of its own, and an
asyncio connection dies with its loop; a thread costs more than the call, which takes a tenth of a millisecond. So the
call blocks, and short time-outs bound for how long.
"""

from typing import Any, Final
from urllib.parse import parse_qs, urlsplit, urlunsplit

from redis import Redis, RedisCluster
from redis.backoff import NoBackoff
from redis.maint_notifications import MaintNotificationsConfig
from redis.retry import Retry

CONNECT_TIMEOUT_S: Final = 0.5
ANSWER_TIMEOUT_S: Final = 0.25

Client = Redis | RedisCluster


def connect(address: str) -> Client:
    """Return a client of the server at `address`; it connects when it is first used, and again when it must.

    `redis://host:port` and `rediss://…` (TLS, the server's certificate is checked; `ssl_ca_certs` names other roots).
    With `?iam=<cache>` the user of the address signs in to that ElastiCache cache with a token of its own making; the
    cache, like an address with `?cluster=true`, shows itself as a cluster.
    """
    parts = urlsplit(address)
    query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    cache, is_cluster = query.pop("iam", None), query.pop("cluster", None) == "true"
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
    if cache is not None:
        from shared.adapters.redis.iam_credentials import IamCredentials

        options["credential_provider"] = IamCredentials(parts.username or "", cache)
        parts = parts._replace(netloc=parts.netloc.rpartition("@")[2])
    server = urlunsplit(parts._replace(query="&".join(f"{name}={value}" for name, value in query.items())))
    if cache is not None or is_cluster:
        return RedisCluster.from_url(server, **options)
    return Redis.from_url(server, **options)
