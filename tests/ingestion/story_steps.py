"""Contents that differ, and steps that stories of several kinds have in common."""

X = "one two three. " * 300
Y = "four five six. " * 300
S = "seven eight nine."
T = "ten eleven twelve."


def finish(world):
    while world.tasks:
        world.step(world.tasks[0])
