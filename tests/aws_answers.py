"""Answers of AWS that never came over a wire: a client gives them out from a handler of its event `before-send`."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.awsrequest import AWSPreparedRequest, AWSResponse, HTTPHeaders


@dataclass(frozen=True)
class _Raw:
    content: bytes

    def stream(self) -> Iterator[bytes]:
        yield self.content


def answer(request: AWSPreparedRequest, status: int, body: Mapping[str, Any]) -> AWSResponse:
    """Return the answer of a JSON service to `request`."""
    return AWSResponse(request.url, status, HTTPHeaders(), _Raw(json.dumps(body).encode()))


def refusal(request: AWSPreparedRequest, error: str, **facts: Any) -> AWSResponse:
    """Return the answer of a JSON service that refuses `request` with the exception called `error`."""
    return answer(request, 400, {"__type": error, "message": "no", **facts})
