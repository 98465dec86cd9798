"""The stories again on DynamoDB, S3 with its own events, and the embedded index, at some effects (measure 8)."""

import pytest

from tests.ingestion.disturbances import KILLED, Disturbance
from tests.ingestion.real_stores import RealStores
from tests.ingestion.stories import STORIES, play
from tests.ingestion.world import LOST

pytestmark = [pytest.mark.real_server, pytest.mark.slow]

SAMPLES = 1
"""Effects per story and kind: the stores in memory are tried at every one, and keep the same contract."""


@pytest.fixture
def new_stores(cloud, tmp_path):
    opened: list[RealStores] = []

    def new():
        opened.append(RealStores(cloud, tmp_path / str(len(opened))))
        return opened[-1]

    yield new
    for stores in opened:
        stores.close()


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
def test_a_crash_at_some_effects_changes_nothing_on_real_stores(story, new_stores):
    effects = play(story, Disturbance(), new_stores()).effects

    for sample in range(SAMPLES):
        for how in (KILLED, LOST):
            effect = 1 + (2 * sample + (how == LOST) + 1) * effects // (2 * SAMPLES + 1)
            try:
                play(story, Disturbance(effect, how), new_stores())
            except BaseException as error:
                error.add_note(f"{story.__name__}: {how} at effect {effect}")
                raise
