"""The API of shelves, as a client has it."""

import httpx
import pytest

from tests.unit.operations.shelves import GET_PULSE, PUT_BOOK, app_of


@pytest.fixture
def api() -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app_of(PUT_BOOK, GET_PULSE)), base_url="https://api.test")
