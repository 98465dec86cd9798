"""Which web pages may read the API's answers: exact origins from the settings (CORS, U1).

A browser asks on its page's behalf and says where that comes from; everything else ignores these headers. Callers send
their token themselves, so there are no cookies and no credentials mode. In AWS the gateway answers instead.
"""

from collections.abc import Collection
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")
ALLOWED_HEADERS: Final = ("authorization", "content-type", "idempotency-key")
EXPOSED_HEADERS: Final = (
    "location",
    "ratelimit-limit",
    "ratelimit-policy",
    "ratelimit-remaining",
    "ratelimit-reset",
    "retry-after",
    "x-request-id",
    "x-tessera-degraded",
)
PREFLIGHT_S: Final = 3600
"""How long a browser may remember what a preflight said."""


class CrossOrigin:
    """Answer preflights of the listed origins, and let their pages read every answer; to others say nothing at all."""

    def __init__(self, app: "ASGIApp", origins: Collection[str]) -> None:
        self._app = app
        self._origins = frozenset(origins)

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        from starlette.datastructures import Headers, MutableHeaders
        from starlette.responses import Response

        if scope["type"] != "http" or not self._origins:
            await self._app(scope, receive, send)
            return
        asked = Headers(scope=scope)
        origin = asked.get("origin", "")
        is_listed = origin in self._origins

        async def send_with_headers(message: "Message") -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                # Also for others: a cache must not hand one origin's answer to the next.
                headers.add_vary_header("Origin")
                if is_listed:
                    headers["access-control-allow-origin"] = origin
                    headers["access-control-expose-headers"] = ", ".join(EXPOSED_HEADERS)
            await send(message)

        if is_listed and scope["method"] == "OPTIONS" and "access-control-request-method" in asked:
            await Response(status_code=HTTPStatus.NO_CONTENT, headers=_PREFLIGHT)(scope, receive, send_with_headers)
        else:
            await self._app(scope, receive, send_with_headers)


_PREFLIGHT: Final = {
    "access-control-allow-methods": ", ".join(METHODS),
    "access-control-allow-headers": ", ".join(ALLOWED_HEADERS),
    "access-control-max-age": str(PREFLIGHT_S),
}
