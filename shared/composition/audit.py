"""What becomes of audit events, for one function: each part built when first asked for, on what was granted."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from shared.composition.adapters import Adapters
from shared.composition.settings import Settings
from shared.kernel.clock import Clock
from shared.kernel.ids import TenantId
from shared.operations.capabilities import AUDIT, AUDIT_ARCHIVE
from shared.telemetry.ports import Telemetry

if TYPE_CHECKING:
    from shared.adapters.dynamodb.audit_blocks import DynamoBlocks
    from shared.adapters.s3.audit_anchors import S3Anchors
    from shared.audit.anchors import Anchoring
    from shared.audit.log_verification import LogVerification
    from shared.audit.mending import HeadMending
    from shared.audit.ports import EventRecorder
    from shared.audit.sealing import Sealing


@dataclass(frozen=True)
class Audit:
    """Records, seals, anchors and verifies."""

    adapters: Adapters
    settings: Settings
    clock: Clock
    telemetry: Telemetry

    def tenant_of_new_event(self, keys: Mapping[str, Any]) -> TenantId | None:
        """Return whose event an item of the audit table is, from its keys; None when it is something else."""
        from shared.adapters.dynamodb.audit_keys import PENDING_PREFIX, tenant_of_item

        return tenant_of_item(keys, PENDING_PREFIX)

    @cached_property
    def recorder(self) -> "EventRecorder":
        """Takes events that came through the queue."""
        from shared.adapters.dynamodb.audit_log import DynamoEventRecorder

        return DynamoEventRecorder(self.adapters.aws.dynamodb, self._table)

    @cached_property
    def sealing(self) -> "Sealing":
        """Puts events into the chains of their tenants."""
        from shared.adapters.dynamodb.audit_log import DynamoSealing
        from shared.audit.sealing import Sealing

        store = DynamoSealing(self.adapters.aws.dynamodb, self._table, self.clock)
        return Sealing(store, self.clock, self.telemetry)

    @cached_property
    def blocks(self) -> "DynamoBlocks":
        """Reads what is sealed."""
        from shared.adapters.dynamodb.audit_blocks import DynamoBlocks

        return DynamoBlocks(self.adapters.aws.dynamodb, self._table)

    @cached_property
    def anchoring(self) -> "Anchoring":
        """Keeps the heads of chains where nobody changes them."""
        from shared.adapters.dynamodb.audit_waiting import DynamoUnanchoredHeads
        from shared.audit.anchors import Anchoring

        heads = DynamoUnanchoredHeads(self.adapters.aws.dynamodb, self._table, self.clock)
        return Anchoring(heads, self.blocks, self._anchors)

    @cached_property
    def verification(self) -> "LogVerification":
        """Says whether a log is what was written."""
        from shared.audit.log_verification import LogVerification

        return LogVerification(self.blocks, self._anchors)

    @cached_property
    def mending(self) -> "HeadMending":
        """Writes a damaged head anew."""
        from shared.adapters.dynamodb.audit_mending import DynamoHeads
        from shared.audit.mending import HeadMending

        heads = DynamoHeads(self.adapters.aws.dynamodb, self._table)
        return HeadMending(heads, self._anchors, self.clock)

    @cached_property
    def _anchors(self) -> "S3Anchors":
        from shared.adapters.s3.audit_anchors import S3Anchors

        return S3Anchors(self.adapters.aws.s3, self.settings.address_of(AUDIT_ARCHIVE))

    @property
    def _table(self) -> str:
        return self.settings.address_of(AUDIT)
