"""Queues as SQS has them: at least once, in no promised order, with visibility, receive counts and dead letters."""

from dataclasses import dataclass
from datetime import datetime, timedelta

MAX_RECEIVES = 5
VISIBILITY = timedelta(seconds=720)


@dataclass
class Waiting:
    """One message in a queue."""

    message: object
    visible_at: datetime
    receives: int = 0
    gone: bool = False


class MemoryQueues:
    """Implements `WorkQueue`; one list of waiting messages for all queues."""

    def __init__(self, clock):
        self._clock = clock
        self.waiting = []
        self.dead = []

    async def send(self, messages, delay_s=0):
        for message in messages:
            self.waiting.append(Waiting(message, self._clock.now() + timedelta(seconds=delay_s)))

    def put(self, message):
        self.waiting.append(Waiting(message, self._clock.now()))

    def deliverable(self):
        """Return what may be delivered now; what was received too often goes to the dead letters."""
        now = self._clock.now()
        for found in self.waiting:
            if found.visible_at <= now and found.receives >= MAX_RECEIVES:
                found.gone = True
                self.dead.append(found.message)
        self.waiting = [found for found in self.waiting if not found.gone]
        return [found for found in self.waiting if found.visible_at <= now]

    def receive(self, found):
        found.receives += 1
        found.visible_at = self._clock.now() + VISIBILITY

    def acknowledge(self, found):
        found.gone = True
        self.waiting = [other for other in self.waiting if not other.gone]

    def postpone(self, found, seconds):
        found.visible_at = self._clock.now() + timedelta(seconds=seconds)
