"""Bring the database's tables to what this release expects (U7)."""

from pydantic import Field

from shared.composition.services import Services
from shared.kernel.bodies import Description, Request
from shared.operations.capabilities import DATABASE_OWNER
from shared.operations.declaration import CommandTrigger, operation


class MigrateDatabaseRequest(Request):
    """`head` is the newest revision, `base` no tables at all."""

    revision: str = Field(default="head", pattern=r"^(head|base|\d{4})$")


class DatabaseMigration(Description):
    """The revisions before and after; None stands for no tables."""

    before: str | None
    after: str | None


@operation(CommandTrigger(), uses=[DATABASE_OWNER.sign_in], memory_mb=512, timeout_s=300)
async def migrate_database(request: MigrateDatabaseRequest, services: Services) -> DatabaseMigration:
    """Run what is missing between the present revision and the one asked for, all or nothing; again does no harm.

    Raises: NoDatabaseError.
    """
    done = await services.relational.migrate(request.revision)
    return DatabaseMigration(before=done.before, after=done.after)
