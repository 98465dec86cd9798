"""A provider of a test's making, for answers that no sound provider gives: it says exactly what it is told to."""

import json
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import httpx
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from shared.kernel.clock import SystemClock
from tests.unit.identity.forgery import Absent, Smith

KEY_ID: Final = "cognito-like+key/id="


@dataclass
class ScriptedProvider:
    """What it says is in its fields, to be changed by the test; `requests` are the form bodies that it was sent."""

    issuer: str
    smith: Smith
    metadata: dict[str, Any] = field(default_factory=dict)
    header: dict[str, Any] = field(default_factory=lambda: {"kid": KEY_ID, "alg": "RS256"})
    claims: dict[str, Any] = field(default_factory=dict)
    token_answer: dict[str, Any] = field(default_factory=dict)
    token_status: int = 200
    userinfo: dict[str, Any] | None = None
    requests: list[dict[str, str]] = field(default_factory=list)
    visits: list[str] = field(default_factory=list)
    challenge_nonce: str = ""

    @classmethod
    @contextmanager
    def listening(cls) -> "Iterator[ScriptedProvider]":
        with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
            smith = Smith(rsa.generate_private_key(public_exponent=65537, key_size=2048))
            provider = cls(f"http://127.0.0.1:{server.server_port}/pool_1", smith)
            server.provider = provider  # type: ignore[attr-defined]
            thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
            thread.start()
            try:
                yield provider
            finally:
                # A thread that is left serving keeps the whole process from ending, whatever failed in the block.
                server.shutdown()
                thread.join()

    def authorize(self, authorization_url: str, **parameters: str) -> httpx.URL:
        """Return where the browser comes back, signed in at once; the nonce of the request goes into the ID token."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(authorization_url).query).items()}
        self.challenge_nonce = asked["nonce"]
        return httpx.URL(asked["redirect_uri"], params={"code": "a-code", "state": asked["state"], **parameters})

    def discovery(self) -> dict[str, Any]:
        """Return the document: as little as Amazon Cognito's says, which names neither PKCE nor RFC 9207."""
        return _changed(
            {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/oauth2/authorize",
                "token_endpoint": f"{self.issuer}/oauth2/token",
                "userinfo_endpoint": f"{self.issuer}/oauth2/userInfo",
                "jwks_uri": f"{self.issuer}/.well-known/jwks.json",
                "response_types_supported": ["code", "token"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
            },
            self.metadata,
        )

    def tokens(self) -> dict[str, Any]:
        now = int(SystemClock().now().timestamp())
        claims = _changed(
            {
                "iss": self.issuer,
                "aud": "public",
                "sub": "0f1e2d3c-subject",
                "iat": now,
                "exp": now + 3600,
                "nonce": self.challenge_nonce,
                "email": "ada@acme.example",
                "email_verified": True,
            },
            self.claims,
        )
        answer = {"id_token": self.smith.sign(self.header, claims), "access_token": "opaque", "token_type": "Bearer"}
        return _changed(answer, self.token_answer)

    def keys(self) -> dict[str, Any]:
        jwk = RSAAlgorithm.to_jwk(self.smith.key.public_key(), as_dict=True)
        return {"keys": [{**jwk, "kid": KEY_ID, "alg": "RS256", "use": "sig"}]}


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        provider: ScriptedProvider = self.server.provider  # type: ignore[attr-defined]
        path = self.path.removeprefix("/pool_1")
        provider.visits.append(path)
        match path:
            case "/.well-known/openid-configuration":
                self._answer(200, provider.discovery())
            case "/.well-known/jwks.json":
                self._answer(200, provider.keys())
            case "/oauth2/userInfo" if provider.userinfo is not None:
                self._answer(200, provider.userinfo)
            case _:
                self._answer(404, {})

    def do_POST(self) -> None:
        provider: ScriptedProvider = self.server.provider  # type: ignore[attr-defined]
        body = self.rfile.read(int(self.headers["content-length"])).decode()
        form = {name: values[0] for name, values in parse_qs(body).items()}
        if "authorization" in self.headers:
            form["authorization"] = b64decode(self.headers["authorization"].removeprefix("Basic ")).decode()
        provider.requests.append(form)
        self._answer(provider.token_status, provider.tokens())

    def _answer(self, status: int, document: dict[str, Any]) -> None:
        content = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Keep the test output quiet."""


def _changed(members: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in {**members, **changes}.items() if value is not Absent}
