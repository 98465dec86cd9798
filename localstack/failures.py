"""What can go wrong while the local cloud is set up or used, told with what to do about it."""


class LocalCloudError(Exception):
    """A failure that the user of the local cloud can mend. `remedy` is a sentence or a command."""

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(f"{problem}\n  → {remedy}")
        self.problem = problem
        self.remedy = remedy
