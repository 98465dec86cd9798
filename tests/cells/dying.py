"""The schedule of moves in a process of its own, which is killed (SIGKILL) at one of its calls to AWS."""

import json
from datetime import timedelta
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path

import pytest

from shared.cells import tenant_moves
from shared.composition.entry import build_handler
from shared.composition.settings import Settings
from shared.operations.registry import load_operation
from tests.audit.dying import Death, doom
from tests.ingestion.functions import CONTEXT

TICK = json.loads((Path(__file__).resolve().parents[2] / "events" / "schedule" / "every_minute.json").read_text())


def live(variables: dict[str, str], death: Death = Death(), calls: "Synchronized[int] | None" = None) -> None:  # noqa: B008
    """Run the schedule once, as AWS would, in a deployment where nobody comes late."""
    pytest.MonkeyPatch().setattr(tenant_moves, "LONGEST_LIFE", timedelta(0))
    doom(variables, death, calls)
    told = build_handler(load_operation("cells", "advance_tenant_moves"), Settings(variables))(TICK, CONTEXT)
    assert told["failed"] == 0, told
