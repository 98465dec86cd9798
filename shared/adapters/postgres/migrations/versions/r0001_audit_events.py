"""Audit events by month, seen by one tenant at a time, and how far each tenant's log has come."""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

APP = "tessera_app"

# Roles belong to the whole cluster, so another database may have made this one.
MAKE_ROLE = """
DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'tessera_app') THEN
    CREATE ROLE tessera_app LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT NOBYPASSRLS;
  END IF;
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'rds_iam') THEN
    GRANT rds_iam TO tessera_app;
  END IF;
END $$
"""

MAKE_EVENTS = """
CREATE TABLE tessera.audit_events (
  tenant     text        NOT NULL,
  seq        bigint      NOT NULL CHECK (seq >= 1),
  at         timestamptz NOT NULL,
  event_id   text        NOT NULL,
  actor      text        NOT NULL,
  role       text,
  key_id     text,
  operation  text        NOT NULL,
  resource   text        COLLATE "C" NOT NULL,
  kind       text        NOT NULL,
  outcome    text        NOT NULL,
  ip         text,
  request_id text        NOT NULL,
  step       integer     NOT NULL,
  line       text        NOT NULL,
  hash       text        NOT NULL,
  PRIMARY KEY (tenant, seq, at)
) PARTITION BY RANGE (at)
"""

INDEXES = (
    "CREATE INDEX ON tessera.audit_events (tenant, at, seq)",
    "CREATE INDEX ON tessera.audit_events (tenant, actor, seq)",
    "CREATE INDEX ON tessera.audit_events (tenant, operation, seq)",
    "CREATE INDEX ON tessera.audit_events (tenant, resource, seq)",
)

MAKE_PROJECTION = """
CREATE TABLE tessera.audit_projection (
  tenant   text   PRIMARY KEY,
  last_seq bigint NOT NULL CHECK (last_seq >= 0),
  last_hash text  NOT NULL
)
"""

# An unset setting is NULL, and one that was set and forgotten is empty: neither equals any tenant.
POLICY = """
CREATE POLICY own_tenant ON tessera.{table}
  USING (tenant = nullif(current_setting('tessera.tenant', true), ''))
  WITH CHECK (tenant = nullif(current_setting('tessera.tenant', true), ''))
"""

# Runs as the owner, for the application may not make tables. A month is made apart and attached when it is whole:
# that waits for nobody who reads or writes.
MAKE_MONTH = """
CREATE FUNCTION tessera.make_audit_month(moment timestamptz) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  month_start timestamp := date_trunc('month', moment AT TIME ZONE 'UTC');
  month_end   timestamp := month_start + interval '1 month';
  month_name  text := 'audit_events_' || to_char(month_start, 'YYYY_MM');
BEGIN
  IF to_regclass('tessera.' || month_name) IS NOT NULL THEN
    RETURN false;
  END IF;
  IF moment IS NULL OR moment < '2020-01-01+00' OR moment > now() + interval '400 days' THEN
    RAISE EXCEPTION 'No month is made for %', moment USING ERRCODE = 'invalid_parameter_value';
  END IF;
  PERFORM pg_advisory_xact_lock(hashtext('tessera.make_audit_month'));
  -- Who waited asks the table itself: what to_regclass remembers is older than the lock.
  IF EXISTS (SELECT FROM pg_class WHERE relname = month_name AND relnamespace = 'tessera'::regnamespace) THEN
    RETURN false;
  END IF;
  EXECUTE format('CREATE TABLE tessera.%I (LIKE tessera.audit_events INCLUDING ALL)', month_name);
  EXECUTE format('ALTER TABLE tessera.%I ENABLE ROW LEVEL SECURITY', month_name);
  EXECUTE format('ALTER TABLE tessera.%I FORCE ROW LEVEL SECURITY', month_name);
  EXECUTE format(
    'ALTER TABLE tessera.audit_events ATTACH PARTITION tessera.%I FOR VALUES FROM (%L) TO (%L)',
    month_name, month_start AT TIME ZONE 'UTC', month_end AT TIME ZONE 'UTC'
  );
  RETURN true;
END $$
"""


def upgrade() -> None:
    op.execute(MAKE_ROLE)
    op.execute(f"GRANT USAGE ON SCHEMA tessera TO {APP}")
    op.execute(MAKE_EVENTS)
    for index in INDEXES:
        op.execute(index)
    op.execute(MAKE_PROJECTION)
    for table in ("audit_events", "audit_projection"):
        op.execute(f"ALTER TABLE tessera.{table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE tessera.{table} FORCE ROW LEVEL SECURITY")
        op.execute(POLICY.format(table=table))
    # An audit log is written once: nobody but the owner of the tables can change or remove a row.
    op.execute(f"GRANT SELECT, INSERT ON tessera.audit_events TO {APP}")
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON tessera.audit_projection TO {APP}")
    op.execute(MAKE_MONTH)
    op.execute("REVOKE ALL ON FUNCTION tessera.make_audit_month FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION tessera.make_audit_month TO {APP}")
    op.execute("SELECT tessera.make_audit_month(now() + n * interval '1 month') FROM generate_series(0, 3) AS n")


def downgrade() -> None:
    op.execute("DROP FUNCTION tessera.make_audit_month")
    op.execute("DROP TABLE tessera.audit_projection")
    op.execute("DROP TABLE tessera.audit_events")
    op.execute(f"REVOKE USAGE ON SCHEMA tessera FROM {APP}")
