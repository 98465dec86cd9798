"""What functions log: JSON that names the operation, and nothing of what others put into paths and headers."""

import io
import json
import logging

import pytest

from shared.adapters.powertools.telemetry import log_as_json


@pytest.fixture
def written(monkeypatch):
    """Log as a function does; return what reads the lines."""
    root = logging.getLogger()
    before = (root.handlers, root.level, {name: logging.getLogger(name).level for name in ("botocore", "mangum")})
    output = io.StringIO()
    monkeypatch.setattr("sys.stderr", output)
    log_as_json("get_document")
    yield lambda: [json.loads(line) for line in output.getvalue().splitlines()]
    root.handlers, level, levels = before
    root.setLevel(level)
    for name, value in levels.items():
        logging.getLogger(name).setLevel(value)


def test_lines_name_the_operation(written):
    logging.getLogger("tessera.test").info("done", extra={"tenant": "acme"})

    (line,) = written()
    assert (line["message"], line["service"], line["tenant"]) == ("done", "get_document", "acme")


@pytest.mark.parametrize("name", ["mangum.http", "botocore.retryhandler"])
def test_paths_and_headers_of_requests_are_not_told(written, name):
    logging.getLogger(name).info("GET /knowledge-bases/our secret plan 404")
    assert written() == []

    logging.getLogger(name).error("out of order")
    assert [line["message"] for line in written()] == ["out of order"]
