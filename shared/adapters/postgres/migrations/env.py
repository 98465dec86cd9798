"""What Alembic runs first: on the connection that the migrator opened, every step in one transaction."""

from alembic import context

SCHEMA = "tessera"

context.configure(
    connection=context.config.attributes["connection"],
    version_table="migrations",
    version_table_schema=SCHEMA,
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
