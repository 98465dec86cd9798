"""What the audit was told: events that stand beside their effects, and those that are still on their way."""

import json
from collections import defaultdict
from typing import Any

from shared.adapters.dynamodb.audit_keys import PENDING_PREFIX
from shared.audit.events import AuditEvent, read_event
from shared.audit.messages import RecordAccesses
from shared.operations.capabilities import ACCESS_QUEUE, AUDIT
from tests.api.cloud import messages_in
from tests.ingestion.cloud import Cloud


class Told:
    """All events of a cloud, by tenant; what is in the queue is taken out of it and remembered."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._sent: dict[str, dict[str, AuditEvent]] = defaultdict(dict)

    def sent(self, tenant: str) -> dict[str, AuditEvent]:
        """Return the events that went into the queue, by their ids."""
        for body in messages_in(self._cloud, ACCESS_QUEUE):
            message = RecordAccesses.model_validate_json(json.dumps(body))
            for event in message.events:
                assert event.tenant == message.tenant
                self._sent[message.tenant][event.event_id] = event
        return dict(self._sent[tenant])

    def written(self, tenant: str) -> dict[str, AuditEvent]:
        """Return the events that wait in the table, by their ids."""
        pages = self._cloud.dynamodb.get_paginator("query").paginate(
            TableName=self._cloud.address_of(AUDIT),
            KeyConditionExpression="pk = :pk AND begins_with(sk, :pending)",
            ExpressionAttributeValues={":pk": {"S": f"t#{tenant}"}, ":pending": {"S": PENDING_PREFIX}},
            ConsistentRead=True,
        )
        items: list[Any] = [item for page in pages for item in page["Items"]]
        events = [read_event(item["event"]["S"]) for item in items]
        assert all(event.tenant == tenant for event in events)
        return {event.event_id: event for event in events}

    def all(self, tenant: str) -> dict[str, AuditEvent]:
        return {**self.sent(tenant), **self.written(tenant)}

    def since(self, tenant: str, before: dict[str, AuditEvent]) -> list[AuditEvent]:
        """Return what was told in a tenant's log since `before` was all of it, in the order of its steps."""
        now = self.all(tenant)
        assert before.keys() <= now.keys()
        return sorted(
            (event for key, event in now.items() if key not in before), key=lambda event: (event.at, event.step)
        )
