"""The AWS emulator (MiniStack) on loopback: started in the background, with all it keeps in one folder.

It saves its tables and functions when it is asked to end, and reads them again at the next start.
"""

import http.client
import os
import shutil
import signal
import socket
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from localstack import process
from localstack.emulator_server import SAVED
from localstack.failures import LocalCloudError

HOST: Final = "127.0.0.1"
DEFAULT_PORT: Final = 4566
REGION: Final = "us-east-1"
CREDENTIAL: Final = "test"
"""The emulator accepts any; this one opens nothing elsewhere."""
ACCOUNT: Final = "000000000000"
START_TIMEOUT_S: Final = 60.0
SAVE_TIMEOUT_S: Final = 20.0
SERVER: Final = Path(__file__).parent / "emulator_server.py"


@dataclass(frozen=True, slots=True)
class Emulator:
    """A running emulator: its address, and the folder that holds its state, process file and log."""

    directory: Path
    port: int
    process: process.Process

    @property
    def endpoint(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """What an AWS client (boto3, the CDK, a function) needs to talk to this emulator and to nothing else."""
        return client_environment(self.endpoint)

    def save(self) -> None:
        """Write the state down, so that it survives whatever ends the emulator. Returns when it is written."""
        saved = self.directory / "state" / SAVED
        saved.unlink(missing_ok=True)
        os.kill(self.process.pid, signal.SIGUSR1)
        deadline = time.monotonic() + SAVE_TIMEOUT_S
        while not saved.exists() and time.monotonic() < deadline:
            time.sleep(0.02)

    def stop(self) -> None:
        """End the emulator after it has saved its state; its functions' processes end with it."""
        self.process.stop()
        _process_file(self.directory).unlink(missing_ok=True)
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


def find(directory: Path) -> Emulator | None:
    """Return the emulator that runs on `directory`, if one does."""
    running = process.load(_process_file(directory))
    if running is None:
        return None
    port = last_port(directory)
    return None if port is None else Emulator(directory, port, running)


def start(directory: Path, port: int = DEFAULT_PORT, variables: Mapping[str, str] | None = None) -> Emulator:
    """Start an emulator on 127.0.0.1:`port` with its state in `directory`, or return the one that runs there.

    Returns when it answers. `port` 0 means the one it had last time, else a free one. Every function finds `variables`
    in its environment, unless its own settings say otherwise: the place for what only a launcher knows, such as folders
    of this machine.

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
    port = made_on or port or free_port()
    if _is_taken(port):
        raise LocalCloudError(
            f"Port {port} on {HOST} is taken by another program.",
            "End that program"
            + ("." if made_on else f", or take another port: make run PORT={port + 1000}")
            + " A local cloud of another folder is ended by make stop there.",
        )
    if not any((directory / "state").glob("*.json")):
        # It was ended before anything was saved: bodies of objects that no bucket knows would only be in the way.
        shutil.rmtree(directory / "s3", ignore_errors=True)
    for folder in ("state", "s3", "tmp"):
        (directory / folder).mkdir(parents=True, exist_ok=True)
    log = directory / "emulator.log"
    started = process.start(
        [sys.executable, "-P", str(SERVER)],
        env=_environment(directory, port, variables or {}),
        log=log,
        directory=directory,
    )
    emulator = Emulator(directory, port, started)
    _port_file(directory).write_text(str(port), encoding="utf-8")
    started.save(_process_file(directory))
    try:
        _wait_until_ready(emulator, log)
    except BaseException:
        emulator.stop()
        raise
    return emulator


def stop(directory: Path) -> bool:
    """End the emulator that runs on `directory`; answer whether there was one."""
    running = find(directory.resolve())
    if running is None:
        return False
    running.stop()
    return True


def free_port() -> int:
    """Return a port of loopback that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def _environment(directory: Path, port: int, variables: Mapping[str, str]) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "TESSERA_", "CDK_"))}
    # Functions run in the interpreter that runs the emulator; they bring their own modules.
    inherited.pop("PYTHONPATH", None)
    return {
        **inherited,
        **client_environment(f"http://{HOST}:{port}"),
        "BIND_HOST": HOST,
        "GATEWAY_PORT": str(port),
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


def _wait_until_ready(emulator: Emulator, log: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        if not emulator.process.is_running():
            break
        if _answers(emulator.port):
            return
        time.sleep(0.1)
    tail = "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-15:])
    raise LocalCloudError(
        f"The AWS emulator did not come up within {START_TIMEOUT_S:.0f} s. The end of its log ({log}):\n{tail}",
        "If the log does not tell the reason, start from nothing: make clean run",
    )


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection(HOST, port, timeout=5)
    try:
        connection.request("GET", "/_ministack/health")
        return connection.getresponse().status == http.client.OK
    except OSError:
        return False
    finally:
        connection.close()


def _is_taken(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


def _process_file(directory: Path) -> Path:
    return directory / "emulator.json"


def last_port(directory: Path) -> int | None:
    """Return the port that the emulator of `directory` has, or had when it last ran."""
    file = _port_file(directory)
    return int(file.read_text(encoding="utf-8")) if file.exists() else None


def _port_file(directory: Path) -> Path:
    return directory / "emulator.port"
