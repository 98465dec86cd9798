"""What of one function deals with the database."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from shared.composition.adapters import Adapters
from shared.composition.settings import Settings
from shared.kernel.clock import Clock
from shared.kernel.databases import NoDatabaseError
from shared.kernel.ids import TenantId
from shared.operations.capabilities import AUDIT, AUDIT_ARCHIVE, DATABASE, DATABASE_OWNER
from shared.operations.grants import Grants

if TYPE_CHECKING:
    from shared.adapters.postgres.database import Database
    from shared.adapters.postgres.migrator import Migration
    from shared.audit.exports import AuditExports
    from shared.audit.projection import AuditProjection
    from shared.audit.queries import AuditQueries
    from shared.audit.read_model import AuditReadModel

PROMPT_S: Final = 8.0
"""What somebody who waits is kept waiting for at most."""
PATIENCE_S: Final = 25.0


@dataclass(frozen=True)
class Relational:
    """The database of one function, opened when it is first asked something."""

    adapters: Adapters
    settings: Settings
    grants: Grants
    clock: Clock

    @property
    def is_there(self) -> bool:
        """Whether this deployment has a database."""
        return bool(self.settings.database_address)

    @cached_property
    def audit_queries(self) -> "AuditQueries":
        """Searches the audit log. Raises: NoDatabaseError."""
        from shared.audit.queries import AuditQueries

        return AuditQueries(self._read_model(self._database()))

    @cached_property
    def audit_exports(self) -> "AuditExports":
        """Writes files of the audit log. Raises: NoDatabaseError."""
        from shared.adapters.s3.audit_exports import S3AuditExports
        from shared.audit.exports import AuditExports

        store = S3AuditExports(self.adapters.aws.s3, self.settings.address_of(AUDIT_ARCHIVE))
        return AuditExports(self._read_model(self._database()), store, self.clock)

    @cached_property
    def read_model(self) -> "AuditReadModel":
        """The copies of the audit logs, for functions that nobody waits for: a database that slept may wake up."""
        return self._read_model(self._database(PATIENCE_S))

    @cached_property
    def projection(self) -> "AuditProjection":
        """Copies the audit logs. Raises: NoDatabaseError."""
        from shared.adapters.dynamodb.audit_blocks import DynamoBlocks
        from shared.adapters.dynamodb.audit_projection import DynamoUnprojectedHeads
        from shared.audit.projection import AuditProjection

        client, table = self.adapters.aws.dynamodb, self.settings.address_of(AUDIT)
        return AuditProjection(DynamoBlocks(client, table), self.read_model, DynamoUnprojectedHeads(client, table))

    def sealed_block(self, keys: Mapping[str, Any]) -> tuple[TenantId, int] | None:
        """Return whose block an item of the audit table is and where it begins; None when it is something else."""
        from shared.adapters.dynamodb.audit_projection import sealed_block

        return sealed_block(keys)

    def _read_model(self, database: "Database") -> "AuditReadModel":
        from shared.adapters.postgres.audit_read_model import PostgresAuditReadModel

        return PostgresAuditReadModel(database)

    def _database(self, patience_s: float = PROMPT_S) -> "Database":
        from shared.adapters.postgres.database import Database

        self.grants.require(DATABASE.connect)
        if not self.is_there:
            raise NoDatabaseError
        return Database(self.settings.database_address, transaction_timeout_s=patience_s, connect_timeout_s=patience_s)

    async def migrate(self, revision: str) -> "Migration":
        """Bring the tables to `revision`, as their owner. Raises: NoDatabaseError."""
        from shared.adapters.postgres.addresses import read_address
        from shared.adapters.postgres.migrator import migrate
        from shared.adapters.secretsmanager.database_owner import owner_password

        self.grants.require(DATABASE_OWNER.sign_in)
        server = self.settings.database_server
        if not server:
            raise NoDatabaseError
        address = read_address(server)
        secret = self.settings.database_owner_secret
        if secret:
            address = replace(address, password=await owner_password(self.adapters.aws.secrets, secret))
        return await migrate(address, revision)
