"""A process is killed, or an answer is lost, at every external effect: the end is always the same (measure 8).

Each story is played once undisturbed, then once per effect with that effect disturbed.
"""

import logging

import pytest

from tests.ingestion.disturbances import KILLED, Disturbance
from tests.ingestion.outcome import check_rest, outcome
from tests.ingestion.stories import STORIES, UNDISTURBED, play
from tests.ingestion.world import LOST

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("story", UNDISTURBED, ids=lambda story: story.__name__)
def test_a_story_that_nothing_disturbs_ends_as_told(story):
    world = play(story, Disturbance())
    world.settle_down()

    check_rest(world)


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
@pytest.mark.parametrize("how", [KILLED, LOST])
def test_a_crash_at_any_effect_changes_nothing(story, how, caplog):
    # Each line of the log would keep its whole world, by its traceback, until the last effect was disturbed.
    caplog.set_level(logging.CRITICAL, "tessera")
    effects = play(story, Disturbance()).effects

    for effect in range(1, effects + 1):
        try:
            world = play(story, Disturbance(effect, how))
            end = outcome(world)
            world.settle_down()
            assert outcome(world) == end
            check_rest(world)
        except BaseException as error:
            error.add_note(f"{story.__name__}: {how} at effect {effect}")
            raise
