"""The local cloud as a whole: the emulator, what is deployed on it, who is signed in, and the folder they live in."""

import fcntl
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from localstack import account, deploy, emulator, functions, postgres_server
from localstack.account import Session
from localstack.deploy import Deployment
from localstack.emulator import Emulator
from localstack.failures import LocalCloudError
from localstack.install import MODEL, ROOT

FOLDER: Final = Path(os.environ.get("TESSERA_LOCAL_FOLDER") or ROOT / ".tessera" / "local")
"""Where the local cloud that `make` talks about lies; a variable moves it, so that two can live side by side."""

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class LocalCloud:
    """A deployed local cloud. All that it keeps lies under `folder`."""

    folder: Path
    emulator: Emulator
    deployment: Deployment

    @property
    def api_address(self) -> str:
        """Where the deployed HTTP API answers: the emulator's path for it, stage included, no slash at the end."""
        return f"{self.emulator.endpoint}/_aws/execute-api/{self.deployment.outputs['ApiId']}/$default"

    @property
    def uploads_bucket(self) -> str:
        return self.deployment.outputs["UploadsBucket"]

    def sign_in(self) -> Session:
        """Sign in as the owner of the demo organisation, who signs up first if need be. Raises: LocalCloudError."""
        return account.sign_in(self.api_address, self.folder / "account")

    @property
    def session(self) -> Session:
        """The owner's session, with an access token that is good for a while. Raises: LocalCloudError."""
        return account.session(self.api_address, self.folder / "account")


def start(folder: Path, port: int, servers: Mapping[str, str], say: Say) -> LocalCloud:
    """Start and deploy whatever of the local cloud does not stand yet.

    `servers` are settings of the deployment by name: addresses of servers of this machine to use with it.

    Raises: LocalCloudError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with _alone(folder):
        return _start(folder, port, servers, say)


def _start(folder: Path, port: int, servers: Mapping[str, str], say: Say) -> LocalCloud:
    was_running = emulator.find(folder / "emulator") is not None
    running = emulator.start(folder / "emulator", port, launcher_variables(folder))
    database = postgres_server.start(folder / "postgres")
    say(f"AWS emulator {'was' if was_running else 'is'} up on {running.endpoint}")
    say("Deploying the stacks of Tessera (the first time takes about a minute)")
    context = {"environment": "local", "database_endpoint": database.endpoint, **servers}
    deployment, changed = deploy.deploy(running, context, folder / "deploy.log")
    functions.invoke(running, "migrate_database")
    # Its schedule would make the first key minutes later.
    functions.invoke(running, "rotate_signing_keys")
    if changed:
        running.save()
    say("Deployed" if changed else "Nothing changed since the last deployment")
    return LocalCloud(folder, running, deployment)


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
    return LocalCloud(folder, running, deployment)
