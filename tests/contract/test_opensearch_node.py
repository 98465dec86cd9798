"""The launcher of a real node: once per folder, its data kept."""

import json
import urllib.request
from pathlib import Path

import pytest

from localstack import opensearch_node
from localstack.failures import LocalCloudError
from localstack.opensearch_node import JARS
from tests.opensearch_server import require_node

pytestmark = [pytest.mark.real_server, pytest.mark.slow]


def ask(address: str, path: str, body: dict[str, str] | None = None) -> dict[str, object]:
    request = urllib.request.Request(  # noqa: S310
        f"{address}{path}", json.dumps(body).encode() if body else None, {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
        found: dict[str, object] = json.loads(answer.read())
        return found


@pytest.mark.timeout(900)  # two starts, each of which may take its time on a busy machine
def test_a_node_keeps_its_data_over_a_restart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(opensearch_node.ADDRESS_VARIABLE, raising=False)
    require_node()
    try:
        address = opensearch_node.start(tmp_path, JARS)
        again = opensearch_node.start(tmp_path, JARS)
        ask(address, "/kept/_doc/1", {"word": "notice"})
        assert opensearch_node.stop(tmp_path)
        later = opensearch_node.start(tmp_path, JARS)

        kept = ask(later, "/kept/_doc/1")["_source"]
    finally:
        opensearch_node.stop(tmp_path)

    assert again == address
    assert kept == {"word": "notice"}
    assert opensearch_node.find(tmp_path) is None
    assert not opensearch_node.stop(tmp_path)


def test_an_address_in_the_environment_starts_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(opensearch_node.ADDRESS_VARIABLE, "http://127.0.0.1:9999")

    assert opensearch_node.start(tmp_path, JARS) == "http://127.0.0.1:9999"
    assert list(tmp_path.iterdir()) == []


def test_without_maven_there_is_a_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(opensearch_node.ADDRESS_VARIABLE, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(LocalCloudError, match="apt-get install maven default-jdk-headless"):
        opensearch_node.start(tmp_path / "node")
    assert not opensearch_node.can_install(tmp_path / "node" / "jars")
