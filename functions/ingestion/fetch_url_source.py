"""Stage zero of what comes from the web: its file is fetched into the uploads bucket (K2)."""

from shared.composition.services import Services
from shared.knowledge.messages import FetchUrlSource
from shared.operations.capabilities import FETCH_POLICY, FETCH_QUEUE, INTERNET, METADATA, UPLOADS
from shared.operations.declaration import operation


@operation(
    FETCH_QUEUE,
    uses=[METADATA.read, METADATA.write, UPLOADS.get, UPLOADS.put, INTERNET, FETCH_POLICY],
    max_concurrency=4,
    memory_mb=1024,
    timeout_s=120,
)
async def fetch_url_source(message: FetchUrlSource, services: Services) -> None:
    """Fetch the file of one document from its web address and put it once; doing it twice changes nothing.

    Raises: BusyError, AttemptFailedError, AttemptsExhaustedError.
    """
    await services.web.fetching.fetch(message)
