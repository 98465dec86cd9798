"""Answers of AWS that never came over a wire: a client gives them out from a handler of its event `before-send`."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from botocore.awsrequest import AWSPreparedRequest, AWSResponse, HTTPHeaders


@dataclass(frozen=True)
class _Raw:
    content: bytes

    def stream(self) -> Iterator[bytes]:
        yield self.content


def refusal(request: AWSPreparedRequest, error: str, **facts: Any) -> AWSResponse:
    """Return the answer of a JSON service that refuses `request` with the exception called `error`."""
    body = json.dumps({"__type": error, "message": "no", **facts}).encode()
    return AWSResponse(request.url, 400, HTTPHeaders(), _Raw(body))
