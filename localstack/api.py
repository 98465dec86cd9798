"""A caller of the deployed HTTP API, as any program outside would be."""

import time
from http import HTTPStatus
from typing import Any, Final

import httpx

from localstack.failures import LocalCloudError

TRIES: Final = 4
LONGEST_WAIT_S: Final = 60
"""Rates allow more within a minute; a quota that is used up is not waited for."""
REPEATABLE: Final = frozenset({HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT})


class ApiProblemError(LocalCloudError):
    """The API refused a request; `status` and the problem document say why."""

    def __init__(self, response: httpx.Response) -> None:
        self.status = response.status_code
        self.document: dict[str, Any] = _problem_of(response)
        request = response.request
        super().__init__(
            f"{request.method} {request.url.path} answered {self.status}: {self.document.get('detail', response.text)}",
            "make status shows what runs, make logs what the functions logged",
        )


class Api:
    """The HTTP API with one caller's token."""

    def __init__(self, address: str, token: str | None) -> None:
        headers = {"authorization": f"Bearer {token}"} if token is not None else {}
        # A slash at the end makes httpx join paths instead of replacing the stage.
        self._client = httpx.Client(base_url=f"{address}/", headers=headers, timeout=60)

    def __enter__(self) -> "Api":
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def send(self, method: str, path: str, body: Any = None, query: dict[str, str] | None = None) -> httpx.Response:
        """Return the response, whatever its status."""
        return self._client.request(method, path.lstrip("/"), json=body, params=query)

    def call(
        self, method: str, path: str, body: Any = None, query: dict[str, str] | None = None, *, repeat: bool = False
    ) -> Any:
        """Return the response's JSON, None for an empty one.

        A GET, and what may be repeated as one, is sent again when the function was still starting or ran out of time,
        as happens on a machine that is busy otherwise; anything is sent again that came too often, for nothing was done
        yet. Raises: ApiProblemError for any status above 299.
        """
        for _ in range(TRIES):
            response = self.send(method, path, body, query)
            if response.status_code == HTTPStatus.TOO_MANY_REQUESTS:
                wait_s = int(response.headers.get("retry-after", "1"))
                if wait_s > LONGEST_WAIT_S:
                    break
                time.sleep(wait_s)
            elif response.status_code not in REPEATABLE or not (repeat or method == "GET"):
                break
        if not response.is_success:
            raise ApiProblemError(response)
        return response.json() if response.content else None


def _problem_of(response: httpx.Response) -> dict[str, Any]:
    if "json" not in response.headers.get("content-type", ""):
        return {}
    found = response.json()
    return found if isinstance(found, dict) else {}
