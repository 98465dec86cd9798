"""The local cloud as a whole: the emulator, what is deployed on it, the token issuer, and the folder they live in."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from localstack import aws, deploy, emulator
from localstack.deploy import Deployment
from localstack.emulator import Emulator
from localstack.failures import LocalCloudError
from localstack.install import MODEL, ROOT
from localstack.issuer import AUDIENCE, ISSUER, LocalIssuer, open_issuer
from localstack.members import Enrolment
from shared.adapters.dynamodb.tenancy_records import DynamoTenancy
from shared.identity.permissions import Role

FOLDER: Final = Path(os.environ.get("TESSERA_LOCAL_FOLDER") or ROOT / ".tessera" / "local")
"""Where the local cloud that `make` talks about lies; a variable moves it, so that two can live side by side."""
DEMO_TENANT: Final = "demo"
DEMO_USER: Final = "you@demo.example"

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class LocalCloud:
    """A deployed local cloud. All that it keeps lies under `folder`."""

    folder: Path
    emulator: Emulator
    deployment: Deployment
    issuer: LocalIssuer

    @property
    def api_address(self) -> str:
        """Where the deployed HTTP API answers: the emulator's path for it, stage included, no slash at the end."""
        return f"{self.emulator.endpoint}/_aws/execute-api/{self.deployment.outputs['ApiId']}/$default"

    @property
    def uploads_bucket(self) -> str:
        return self.deployment.outputs["UploadsBucket"]

    def token(self, tenant: str = DEMO_TENANT, user: str = DEMO_USER, role: Role = Role.OWNER) -> str:
        """Return a fresh access token, good for an hour, of a member who is enrolled if need be."""
        table = self.deployment.outputs["IdentityTable"]
        Enrolment(DynamoTenancy(aws.dynamodb(self.emulator.endpoint), table)).enrol(tenant, user, role)
        return self.issuer.issue(tenant, user, role)


def start(folder: Path, port: int, opensearch_endpoint: str | None, say: Say) -> LocalCloud:
    """Start and deploy whatever of the local cloud does not stand yet. Raises: LocalCloudError."""
    folder.mkdir(parents=True, exist_ok=True)
    with _alone(folder):
        return _start(folder, port, opensearch_endpoint, say)


def _start(folder: Path, port: int, opensearch_endpoint: str | None, say: Say) -> LocalCloud:
    issuer = open_issuer(folder / "identity")
    was_running = emulator.find(folder / "emulator") is not None
    running = emulator.start(folder / "emulator", port, launcher_variables(folder))
    say(f"AWS emulator {'was' if was_running else 'is'} up on {running.endpoint}")
    say("Deploying the stacks of Tessera (the first time takes about a minute)")
    context = {
        "environment": "local",
        "token_issuer": ISSUER,
        "token_audience": AUDIENCE,
        "token_jwks_url": issuer.keys_address,
    }
    if opensearch_endpoint is not None:
        context["opensearch_endpoint"] = opensearch_endpoint
    deployment, changed = deploy.deploy(running, context, folder / "deploy.log")
    if changed:
        running.save()
    say("Deployed" if changed else "Nothing changed since the last deployment")
    return LocalCloud(folder, running, deployment, issuer)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep a second command from starting the same local cloud meanwhile; the lock ends with the process."""
    with (folder / "starting.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise LocalCloudError(
                "Another command is starting this local cloud right now.", "Wait until it is done, then run this again."
            ) from error
        yield


def launcher_variables(folder: Path) -> dict[str, str]:
    """Return what functions must know of this machine, and what a person who waits wants to be shorter."""
    return {
        "TESSERA_LOCAL_FOLDER": str(folder.resolve()),
        "TESSERA_EMBEDDER": str(MODEL),
        "TESSERA_RETRY_BASE_S": "2",
    }


def find(folder: Path) -> LocalCloud:
    """Return the local cloud that runs in `folder`. Raises: LocalCloudError when none does."""
    running = emulator.find(folder / "emulator")
    deployment = None if running is None else deploy.find(running)
    if running is None or deployment is None:
        raise LocalCloudError("The local cloud is not running.", "make run")
    return LocalCloud(folder, running, deployment, open_issuer(folder / "identity"))
