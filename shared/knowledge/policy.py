"""The figures of the ingestion protocol, in one place; the local cloud shortens some of them (K2)."""

from dataclasses import dataclass
from datetime import timedelta

from shared.documents.ports import LARGEST_FILE_BYTES


@dataclass(frozen=True, slots=True)
class IngestionPolicy:
    """How often, how long, how large.

    `lease_s` must exceed the longest time a stage may run. `patience_s` is how long a message may wait before it is
    taken for lost; it doubles each time. `read_grace_s` is what readers of a replaced generation get to finish.
    `message_lifetime_s` is the longest time a stalled writer can come back: queues keep messages no longer.
    `line_check_s` is how soon somebody looks whether documents wait although there is a place for them.
    """

    attempts: int = 3
    retry_base_s: float = 60
    lease_s: float = 150
    lease_margin_s: float = 15
    patience_s: float = 900
    line_check_s: float = 60
    read_grace_s: float = 900
    message_lifetime_s: float = 14 * 86_400
    upload_lifetime_s: int = 900
    upload_grace_s: int = 900
    download_lifetime_s: int = 300
    max_file_bytes: int = LARGEST_FILE_BYTES
    batch_size: int = 64
    reindex_page: int = 200
    reindex_in_flight: int = 50
    reindex_pause_s: int = 5
    sweep_page: int = 100

    def backoff_s(self, failures: int) -> float:
        """Return how long to rest after `failures` (1, 2, …) counted failures: 60, 120, 240 … seconds."""
        return float(self.retry_base_s * 2 ** (failures - 1))

    @property
    def lease(self) -> timedelta:
        return timedelta(seconds=self.lease_s)

    @property
    def upload_promise(self) -> timedelta:
        """How long a promise waits for its file: the form's life, and a grace for an upload that began in time."""
        return timedelta(seconds=self.upload_lifetime_s + self.upload_grace_s)

    @property
    def patience(self) -> timedelta:
        return timedelta(seconds=self.patience_s)

    @property
    def line_check(self) -> timedelta:
        return timedelta(seconds=self.line_check_s)

    @property
    def read_grace(self) -> timedelta:
        return timedelta(seconds=self.read_grace_s)

    @property
    def message_lifetime(self) -> timedelta:
        return timedelta(seconds=self.message_lifetime_s)
