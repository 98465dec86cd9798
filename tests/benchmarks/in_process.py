"""Requests to an app in this process, as a server would make them, without a client's own cost."""

from typing import Any

from fastapi import FastAPI


async def request(app: FastAPI, path: str, authorization: bytes) -> int:
    """Send one GET; return the status."""
    status = 0

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        nonlocal status
        status = message.get("status", status)

    scope = {
        "type": "http", "http_version": "1.1", "method": "GET", "path": path, "raw_path": path.encode(),
        "query_string": b"", "headers": [(b"authorization", authorization), (b"content-length", b"40")],
        "scheme": "https", "server": ("api.test", 443), "client": ("127.0.0.1", 1), "root_path": "",
    }  # fmt: skip
    await app(scope, receive, send)
    return status
