"""Interactive pages of the deployed API on loopback: `python -m localstack.explorer --folder DIR --port N`.

The page calls the deployed functions through this server, which adds a fresh token of the demo tenant: nothing to copy,
and no cross-origin request.
"""

import argparse
import json
from http import HTTPStatus
from pathlib import Path
from typing import Final

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from localstack import cloud
from localstack.install import NODE_MODULES, ROOT
from localstack.ports import HOST

METHODS: Final = ["GET", "POST", "PUT", "PATCH", "DELETE"]

PAGE: Final = """<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <title>Tessera: the API of the local cloud</title>
  <link rel="stylesheet" href="/assets/swagger-ui.css">
</head>
<body>
  <div id="api"></div>
  <script src="/assets/swagger-ui-bundle.js"></script>
  <script>
    SwaggerUIBundle({url: "/openapi.json", dom_id: "#api", tryItOutEnabled: true, deepLinking: true});
  </script>
</body>
</html>
"""


def build_explorer(folder: Path) -> Starlette:
    """Return the app for the local cloud in `folder`; requests under `/api` go to its deployed functions."""
    client = httpx.AsyncClient(timeout=60)

    async def page(_: Request) -> Response:
        return HTMLResponse(PAGE)

    async def openapi(_: Request) -> Response:
        document = json.loads((ROOT / "docs" / "openapi.json").read_text(encoding="utf-8"))
        document["servers"] = [{"url": "/api", "description": "the local cloud, as owner of the demo tenant"}]
        return JSONResponse(document)

    async def forward(request: Request) -> Response:
        # Requests get a token here, so another site's page must not be able to send any.
        if request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
            return Response("Only this server's own page may call the API through it.\n", HTTPStatus.FORBIDDEN)
        running = cloud.find(folder)
        answered = await client.request(
            request.method,
            f"{running.api_address}/{request.path_params['path']}",
            params=request.query_params,
            content=await request.body(),
            headers={
                "authorization": request.headers.get("authorization", f"Bearer {running.session.access_token}"),
                "content-type": request.headers.get("content-type", "application/json"),
                **{name: value for name, value in request.headers.items() if name in {"if-match", "idempotency-key"}},
            },
        )
        kept = {name: value for name, value in answered.headers.items() if name in {"content-type", "x-request-id"}}
        return Response(answered.content, answered.status_code, kept)

    return Starlette(
        routes=[
            Route("/", page),
            Route("/openapi.json", openapi),
            Route("/api/{path:path}", forward, methods=METHODS),
            Mount("/assets", StaticFiles(directory=NODE_MODULES / "swagger-ui-dist")),
        ],
        # A page elsewhere could otherwise reach this server through a name that resolves to loopback.
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=[HOST, "localhost"])],
    )


def main() -> None:
    """Serve until ended."""
    parser = argparse.ArgumentParser(prog="python -m localstack.explorer", description=__doc__)
    parser.add_argument("--folder", type=Path, default=cloud.FOLDER)
    parser.add_argument("--port", type=int, required=True)
    wish = parser.parse_args()
    uvicorn.run(build_explorer(wish.folder), host=HOST, port=wish.port, access_log=False)


if __name__ == "__main__":
    main()
