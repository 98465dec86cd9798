"""The stories again on DynamoDB, S3 with its own events, and the embedded index: at some effects of each (measure 8)."""

import pytest

from tests.ingestion.real_stores import RealStores
from tests.ingestion.stories import KILLED, STORIES, Disturbance, play
from tests.ingestion.world import LOST

pytestmark = [pytest.mark.real_server, pytest.mark.slow]

SAMPLES = 3
"""Effects per story and kind: the store in memory is tried at every one, and keeps the same contract."""


@pytest.fixture(scope="module")
def stores(cloud, tmp_path_factory):
    opened = RealStores(cloud, tmp_path_factory.mktemp("index"))
    yield opened
    opened.close()


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
def test_a_crash_at_some_effects_changes_nothing_on_real_stores(story, stores):
    effects = play(story, Disturbance(), stores).effects

    for sample in range(SAMPLES):
        for how in (KILLED, LOST):
            effect = 1 + (2 * sample + (how == LOST)) * effects // (2 * SAMPLES)
            try:
                play(story, Disturbance(effect, how), stores)
            except BaseException as error:
                error.add_note(f"{story.__name__}: {how} at effect {effect}")
                raise
