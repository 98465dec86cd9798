"""A tenant moves between real cells while it is searched and written, by processes that are really killed (T6).

Every effect of a move: `python -m tests.benchmarks moves`. Here some of them, so that the suite stays short.
"""

import secrets
from pathlib import Path

import pytest

from shared.kernel.ids import TenantId
from shared.operations.capabilities import AUDIT, CELLS
from tests.cells.moving import Report, move_under_load
from tests.cells.places import Places
from tests.ingestion.cloud import Cloud

pytestmark = [pytest.mark.real_server, pytest.mark.slow, pytest.mark.timeout(600)]

KILLS = (0, *range(3, 200, 26))
"""Before and after effects from the beginning of a move to its end; 0 kills nobody."""


def places_of(cloud: Cloud, folder: Path, address: str = "") -> Places:
    return Places(
        cloud.address_of(CELLS), cloud.address_of(AUDIT), str(folder), address, f"cells-{secrets.token_hex(4)}"
    )


def check(report: Report) -> None:
    assert report.failures == []
    assert report.wrong == []
    assert (report.left_behind, report.unequal) == (0, 0)
    assert report.kills >= report.moves - 2
    assert report.searches > 10 * report.moves


async def test_between_two_files(cloud: Cloud, tmp_path: Path) -> None:
    places = places_of(cloud, tmp_path)
    check(await move_under_load(places, TenantId("acme"), KILLS))
    places.close()


async def test_between_two_indexes_of_a_real_node(cloud: Cloud, tmp_path: Path, opensearch_address: str) -> None:
    places = places_of(cloud, tmp_path, opensearch_address)
    check(await move_under_load(places, TenantId("globex"), KILLS[1:4:2], people=1))
    places.close()
