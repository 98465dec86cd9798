"""How long each stage of a request took."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter


class Stages:
    """Adds up milliseconds by stage; stages may nest, repeat, and run side by side."""

    def __init__(self) -> None:
        self.milliseconds: dict[str, float] = {}

    @contextmanager
    def measured(self, stage: str) -> Iterator[None]:
        started = perf_counter()
        try:
            yield
        finally:
            elapsed = (perf_counter() - started) * 1_000
            self.milliseconds[stage] = self.milliseconds.get(stage, 0.0) + elapsed
