"""Which queue takes which message of ingestion."""

from typing import Final

from shared.knowledge.messages import (
    AdvanceReindex,
    FetchUrlSource,
    IndexChunks,
    LookAgain,
    Message,
    ParseDocument,
    PublishDocument,
    SweepDocument,
    SweepKnowledgeBase,
)
from shared.operations.capabilities import (
    ACCEPT_QUEUE,
    FETCH_QUEUE,
    INDEX_QUEUE,
    PARSE_QUEUE,
    PUBLISH_QUEUE,
    REINDEX_QUEUE,
    SWEEP_QUEUE,
    Queue,
)

QUEUES: Final[dict[type[Message], Queue]] = {
    LookAgain: ACCEPT_QUEUE,
    FetchUrlSource: FETCH_QUEUE,
    ParseDocument: PARSE_QUEUE,
    IndexChunks: INDEX_QUEUE,
    PublishDocument: PUBLISH_QUEUE,
    SweepDocument: SWEEP_QUEUE,
    SweepKnowledgeBase: SWEEP_QUEUE,
    AdvanceReindex: REINDEX_QUEUE,
}


def queue_of(message: type[Message]) -> Queue:
    """Return the queue that takes messages of this type."""
    return QUEUES[message]
