"""What users do to files, and how it must end, whatever happens on the way (measure 8).

Each story is played by a `DisturbedWorld`, which kills a process or loses an answer at one chosen effect.
"""

from dataclasses import replace

from shared.tenancy.plans import STARTER
from tests.ingestion import file_stories, plan_stories, reindexing_stories, web_stories
from tests.ingestion.disturbances import DisturbedWorld
from tests.ingestion.outcome import dead_letters, outcome
from tests.ingestion.story_steps import X, Y

STORIES = [
    *file_stories.STORIES,
    *reindexing_stories.STORIES,
    *plan_stories.STORIES,
    *web_stories.STORIES,
]
UNDISTURBED = [plan_stories.poison_goes_first, reindexing_stories.reindexed_one_after_the_other]
"""Long stories whose steps the others have too; `test_state_machine` disturbs them as well."""

ONE_PLACE = replace(STARTER, concurrent_documents=1)
LITTLE_ROOM = replace(STARTER, storage_bytes=len(X) + len(Y) - 1)
FIGURES = {
    plan_stories.waited_for_a_place: ONE_PLACE,
    plan_stories.poison_goes_first: ONE_PLACE,
    plan_stories.changed_while_waiting: ONE_PLACE,
    reindexing_stories.reindexed_one_after_the_other: ONE_PLACE,
    plan_stories.no_room_until_something_is_deleted: LITTLE_ROOM,
    plan_stories.no_room_for_a_replacement: LITTLE_ROOM,
    plan_stories.room_was_promised: LITTLE_ROOM,
}
"""What the tenant's plan allows; where a story names nothing, starter's figures hold."""


def play(story, disturbance, stores=None):
    """Play a story to its end and check it; return its world."""
    world = DisturbedWorld(disturbance, stores, FIGURES.get(story, STARTER))
    expected = story(world)
    assert outcome(world) == expected
    assert dead_letters(world) == {name for name, (status, _, _) in expected.items() if status == "failed"}
    return world
