"""The AWS emulator (MiniStack) on loopback: started in the background, with all it keeps in one folder.

It saves its tables and functions when it is asked to end, and reads them again at the next start.
"""

import os
import shutil
import signal
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final

from localstack.emulator_server import SAVED
from localstack.failures import LocalCloudError
from localstack.local_server import LocalServer, PortsTakenError, Say, say_nothing
from localstack.ports import HOST, free_port, free_ports, is_taken

DEFAULT_PORT: Final = 4566
REGION: Final = "us-east-1"
CREDENTIAL: Final = "test"
"""The emulator accepts any; this one opens nothing elsewhere."""
ACCOUNT: Final = "000000000000"
SAVE_TIMEOUT_S: Final = 20.0
SERVER: Final = Path(__file__).parent / "emulator_server.py"


@dataclass(frozen=True, slots=True)
class Emulator(LocalServer):
    """A running emulator; its folder holds all that is in it."""

    TITLE: ClassVar[str] = "AWS emulator"
    FILES: ClassVar[str] = "emulator"

    @property
    def environment(self) -> dict[str, str]:
        """What an AWS client (boto3, the CDK, a function) needs to talk to this emulator and to nothing else."""
        return client_environment(self.endpoint)

    def is_ready(self, said: str) -> bool:
        return f"Running on {self.endpoint}" in said

    def save(self) -> None:
        """Write the state down, so that it survives whatever ends the emulator. Returns when it is written."""
        saved = self.directory / "state" / SAVED
        saved.unlink(missing_ok=True)
        os.kill(self.process.pid, signal.SIGUSR1)
        deadline = time.monotonic() + SAVE_TIMEOUT_S
        while not saved.exists() and self.process.is_running() and time.monotonic() < deadline:
            time.sleep(0.02)

    def stop(self) -> None:
        """End the emulator after it has saved its state; its functions' processes end with it."""
        LocalServer.stop(self)
        shutil.rmtree(self.directory / "tmp", ignore_errors=True)


def client_environment(endpoint: str) -> dict[str, str]:
    """Return the variables that point AWS clients at `endpoint`, with credentials that mean nothing elsewhere."""
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ENDPOINT_URL_S3": endpoint,
        "AWS_ACCESS_KEY_ID": CREDENTIAL,
        "AWS_SECRET_ACCESS_KEY": CREDENTIAL,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


find = Emulator.find
stop = Emulator.stop_in
last_port = Emulator.last_port


def start(
    directory: Path,
    port: int = DEFAULT_PORT,
    variables: Mapping[str, str] | None = None,
    say: Say = say_nothing,
) -> Emulator:
    """Start an emulator on 127.0.0.1:`port` with its state in `directory`, or return the one that runs there.

    Returns when it answers. `port` 0 means the one it had last time, else a free one. Every function finds `variables`
    in its environment, unless its own settings say otherwise: the place for what only a launcher knows, such as folders
    of this machine. `say` is told when it takes long.

    Raises: LocalCloudError when the port is taken or another than last time, or when the emulator does not come up.
    """
    directory = directory.resolve()
    running = find(directory)
    if running is not None:
        return running
    made_on = last_port(directory)
    if made_on is not None and port not in (0, made_on):
        raise LocalCloudError(
            f"The local cloud in {directory} was made on port {made_on}; the addresses in it say so.",
            f"Go on there: make run PORT={made_on}. Or begin anew: make clean run PORT={port}",
        )
    wanted = made_on or port
    _make_folders(directory)
    try:
        return Emulator.launch(
            directory,
            [wanted] if wanted else free_ports(),
            lambda _: [sys.executable, "-P", str(SERVER)],
            lambda port: _environment(directory, port, variables or {}),
            say,
        )
    except PortsTakenError as error:
        raise LocalCloudError(error.problem, _remedy_for_port(wanted, is_settled=made_on is not None)) from None


def _make_folders(directory: Path) -> None:
    if not any((directory / "state").glob("*.json")):
        # It was ended before anything was saved: bodies of objects that no bucket knows would only be in the way.
        shutil.rmtree(directory / "s3", ignore_errors=True)
    for folder in ("state", "s3", "tmp"):
        (directory / folder).mkdir(parents=True, exist_ok=True)


def _remedy_for_port(port: int, *, is_settled: bool) -> str:
    """Tell what to do about a taken port; one that is settled stays, for the addresses in the local cloud say so."""
    beside = port + 1000
    other = beside if beside < 65_536 and not is_taken(beside) else free_port()
    ways = "End that program." if is_settled else f"End that program, or take another port: make run PORT={other}"
    return f"{ways}\n    (A local cloud of another folder is ended by make stop there.)"


def _environment(directory: Path, port: int, variables: Mapping[str, str]) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "TESSERA_", "CDK_"))}
    # Functions run in the interpreter that runs the emulator; they bring their own modules.
    inherited.pop("PYTHONPATH", None)
    return {
        **inherited,
        **client_environment(f"http://{HOST}:{port}"),
        "BIND_HOST": HOST,
        "GATEWAY_PORT": str(port),
        "LOG_LEVEL": "INFO",  # the level at which it says that it is up
        "MINISTACK_REGION": REGION,
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "PERSIST_STATE": "1",
        "STATE_DIR": str(directory / "state"),
        "S3_PERSIST": "1",
        "S3_DATA_DIR": str(directory / "s3"),
        "TMPDIR": str(directory / "tmp"),
        "PYTHONUNBUFFERED": "1",
        **variables,
    }
