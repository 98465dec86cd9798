"""Where the shared test data lies: beside the checkout, never copied in; absent in a user's clone."""

import os
from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared"
DATA = SHARED / "data"


def require_shared_data() -> Path:
    """Return the shared data folder; where it is absent, skip, except in CI, where a missing folder is a failure."""
    if not DATA.is_dir():
        if os.environ.get("CI") == "true":
            pytest.fail("The shared test data is missing: expected a folder `shared/data` beside the checkout.")
        pytest.skip("needs the shared test data beside the checkout")
    return DATA
