"""The local cloud as a whole: the emulator, what is deployed on it, who is signed in, and the folder they live in."""

import fcntl
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from localstack import account, deploy, emulator, functions, postgres_server
from localstack.account import Session
from localstack.deploy import Deployment
from localstack.emulator import Emulator
from localstack.explorer_process import Explorer
from localstack.failures import LocalCloudError
from localstack.install import MODEL, ROOT
from localstack.local_server import LocalServer, Say
from localstack.opensearch_node import Node
from localstack.postgres_server import Server

DEFAULT_FOLDER: Final = ROOT / ".tessera" / "local"
FOLDER: Final = Path(os.environ.get("TESSERA_LOCAL_FOLDER") or DEFAULT_FOLDER)
"""Where the local cloud that `make` talks about lies; a variable moves it, so that two can live side by side."""

SERVERS: Final[tuple[tuple[type[LocalServer], str], ...]] = (
    (Explorer, "."),
    (Emulator, "emulator"),
    (Server, "postgres"),
    (Node, "opensearch"),
)
"""What may run for a local cloud, each in its part of the folder, in the order in which they are ended."""

_LOCK: Final = "starting.lock"
"""Is in every folder of a local cloud, and in no other one: what is removed was made here."""


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
    claim(folder)
    with _alone(folder):
        return _start(folder, port, servers, say)


def claim(folder: Path) -> None:
    """Make `folder` one of a local cloud, which `remove` may remove. Raises: LocalCloudError for one that is in use."""
    mark = folder / _LOCK
    if mark.exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    if folder != DEFAULT_FOLDER and any(folder.iterdir()):
        raise LocalCloudError(
            f"{folder} holds other things than a local cloud.", "Name a folder of its own in TESSERA_LOCAL_FOLDER."
        )
    mark.touch()


def remove(folder: Path) -> list[str]:
    """End the local cloud in `folder` and remove all that it keeps; return what the servers that ran are called.

    Raises: LocalCloudError for any other folder.
    """
    if folder.exists() and folder != DEFAULT_FOLDER and not (folder / _LOCK).exists():
        raise LocalCloudError(f"{folder} is no local cloud's; nothing was removed.", "Look at TESSERA_LOCAL_FOLDER.")
    ended = stop(folder)
    shutil.rmtree(folder, ignore_errors=True)
    return ended


def _start(folder: Path, port: int, servers: Mapping[str, str], say: Say) -> LocalCloud:
    was_running = emulator.find(folder / "emulator") is not None
    running = emulator.start(folder / "emulator", port, launcher_variables(folder), say)
    database = postgres_server.start(folder / "postgres", say=say)
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
    with (folder / _LOCK).open("w") as lock:
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


def stop(folder: Path) -> list[str]:
    """End every server of the local cloud in `folder`; return what they are called. Data stays."""
    return [server.TITLE for server, place in SERVERS if server.stop_in(folder / place)]


def running_servers(folder: Path) -> list[LocalServer]:
    """Return every server of the local cloud in `folder` that runs now."""
    found = (server.find(folder / place) for server, place in SERVERS)
    return [server for server in found if server is not None]


def dead_servers(folder: Path) -> list[str]:
    """Return what the servers are called that ended although nobody asked them to."""
    return [server.TITLE for server, place in SERVERS if server.has_died(folder / place)]


def find(folder: Path) -> LocalCloud:
    """Return the local cloud that runs in `folder`. Raises: LocalCloudError when none does."""
    running = emulator.find(folder / "emulator")
    deployment = None if running is None else deploy.find(running)
    if running is None or deployment is None:
        raise LocalCloudError("The local cloud is not running.", "make run")
    return LocalCloud(folder, running, deployment)
