"""What of one function deals with the database."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

from shared.composition.adapters import Adapters
from shared.composition.settings import Settings
from shared.kernel.errors import Kind, TesseraError
from shared.operations.capabilities import DATABASE, DATABASE_OWNER
from shared.operations.grants import Grants

if TYPE_CHECKING:
    from shared.adapters.postgres.database import Database
    from shared.adapters.postgres.migrator import Migration


class NoDatabaseError(TesseraError):
    """This deployment has no database, so nothing can be asked of one."""

    code: ClassVar[str] = "no-database"
    kind: ClassVar[Kind] = Kind.UNAVAILABLE

    def __init__(self) -> None:
        super().__init__(
            "This deployment has no database. Who runs it sets database_capacity; the audit log itself is kept and "
            "verified without one."
        )


@dataclass(frozen=True)
class Relational:
    """The database of one function, opened when it is first asked something."""

    adapters: Adapters
    settings: Settings
    grants: Grants

    @cached_property
    def database(self) -> "Database":
        """Raises: NoDatabaseError."""
        from shared.adapters.postgres.database import Database

        self.grants.require(DATABASE.connect)
        address = self.settings.database_address
        if not address:
            raise NoDatabaseError
        return Database(address)

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
