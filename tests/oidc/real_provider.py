"""The npm package `oidc-provider` on loopback: installed on first use from its own lock, run by the Node of the wheel.

To raise its version: change `provider/package.json` and run `make lock`.
"""

import hashlib
import json
import re
import shutil
from contextlib import ExitStack
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import Any, ClassVar, Final
from urllib.parse import urljoin, urlsplit

import httpx
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from infra_cdk.node import node_folder
from localstack.install import npm
from localstack.local_server import LocalServer
from localstack.ports import free_ports
from tests.own_folders import ending_with_this_process

ROOT: Final = Path(__file__).resolve().parents[2]
SOURCES: Final = Path(__file__).parent / "provider"
REDIRECT: Final = "https://app.acme.example/signed-in"
SECRET: Final = "a secret+with/signs:that&are%encoded"

PEOPLE: Final[dict[str, dict[str, Any]]] = {
    "ada": {"email": "Ada@{place}.example", "email_verified": True, "name": "Ada Lovelace"},
    "bob": {"email": "bob@{place}.example", "email_verified": True, "name": "Bob"},
    "eve": {"email": "ada@{place}.example", "email_verified": False, "name": "Eve"},
    "mallory": {"email": "mallory@elsewhere.example", "email_verified": True},
    "nobody": {},
    "ada-2": {"email": "ada@{place}.example", "email_verified": True},
}
"""Who can sign in, as `<name>@<place>`."""


def installed() -> Path:
    """Return the folder in which the provider is installed, after installing it if need be."""
    sources = [SOURCES / "package.json", SOURCES / "package-lock.json", SOURCES / "provider.mjs", ROOT / ".npmrc"]
    digest = hashlib.sha256(b"\0".join(source.read_bytes() for source in sources)).hexdigest()[:16]
    folder = ROOT / ".tessera" / "oidc-provider" / digest
    if not (folder / ".installed").exists():
        folder.mkdir(parents=True, exist_ok=True)
        for source in sources:
            shutil.copy(source, folder)
        npm("ci", "--prefix", str(folder))
        (folder / ".installed").touch()
    return folder


def signing_key(key_id: str) -> dict[str, Any]:
    """Return a new private RSA key as a JWK."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return {**RSAAlgorithm.to_jwk(key, as_dict=True), "kid": key_id, "use": "sig", "alg": "RS256"}


def elliptic_key(key_id: str) -> dict[str, Any]:
    """Return a new private P-256 key as a JWK."""
    key = ec.generate_private_key(ec.SECP256R1())
    return {**ECAlgorithm.to_jwk(key, as_dict=True), "kid": key_id, "use": "sig", "alg": "ES256"}


def client(client_id: str, secret: str | None = None, algorithm: str = "RS256") -> dict[str, Any]:
    """Return the provider's registration of a client."""
    return {
        "client_id": client_id,
        **({"client_secret": secret} if secret else {}),
        "token_endpoint_auth_method": "client_secret_basic" if secret else "none",
        "redirect_uris": [REDIRECT, "https://app.acme.example/other"],
        "response_types": ["code"],
        "grant_types": ["authorization_code"],
        "id_token_signed_response_alg": algorithm,
    }


@dataclass(frozen=True, slots=True)
class ProviderServer(LocalServer):
    """The provider's process."""

    TITLE: ClassVar[str] = "OpenID provider"
    FILES: ClassVar[str] = "provider"
    START_TIMEOUT_S: ClassVar[float] = 30.0
    GRACE_S: ClassVar[float] = 10.0

    def is_ready(self, said: str) -> bool:
        return f"{self.endpoint}\n" in said


@dataclass
class RealProvider:
    """A provider at one address; it is stopped and started again there, so it can fail and change its keys."""

    folder: Path
    keys: list[dict[str, Any]]
    claims_in_id_token: bool = False
    issuer: str = ""
    _running: ExitStack = field(default_factory=ExitStack, repr=False)

    def start(self) -> None:
        script = installed() / "provider.mjs"
        path = self.folder / "configuration.json"

        def command(port: int) -> list[str]:
            configuration = {
                "port": port,
                "clients": [
                    client("public"),
                    client("confidential", SECRET),
                    client("elliptic", algorithm="ES256"),
                ],
                "users": PEOPLE,
                "jwks": {"keys": self.keys},
                "claimsInIdToken": self.claims_in_id_token,
            }
            path.write_text(json.dumps(configuration))
            return [str(node_folder() / "node"), str(script), str(path)]

        ports = [urlsplit(self.issuer).port or 0] if self.issuer else free_ports()
        self._running.enter_context(ending_with_this_process(self.folder))
        server = ProviderServer.launch(self.folder, ports, command)
        self._running.callback(server.stop)
        self.issuer = server.endpoint

    def stop(self) -> None:
        self._running.close()


def sign_in_with_browser(authorization_url: str, login: str) -> httpx.URL:
    """Do what a person does in the browser: sign in, consent; return the address that the client is called at.

    Raises: AssertionError with the provider's page when it refuses.
    """
    with httpx.Client() as browser:
        response = browser.get(authorization_url)
        for _ in range(12):
            while response.has_redirect_location:
                address = urljoin(str(response.url), response.headers["location"])
                if not address.startswith("http://127.0.0.1"):
                    return httpx.URL(address)
                response = browser.get(address)
            form = re.search(r'<form[^>]*action="([^"]+)"', response.text)
            assert response.status_code == 200, response.text
            assert form is not None, response.text
            prompt = re.search(r'name="prompt" value="(\w+)"', response.text)
            assert prompt is not None, response.text
            response = browser.post(
                urljoin(str(response.url), unescape(form[1])),
                data={"prompt": prompt[1], "login": login, "password": "any"},
            )
    raise AssertionError("The provider asks for ever more.")
