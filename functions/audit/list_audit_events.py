"""Search the audit log (T7)."""

from typing import Annotated

from pydantic import Field, StringConstraints

from shared.audit.events import EventKind
from shared.audit.queries import AuditEventDescription, AuditEventList
from shared.audit.read_model import AuditFilter
from shared.composition.services import Services
from shared.identity.caller import Caller
from shared.identity.permissions import Permission
from shared.kernel.bodies import Moment
from shared.kernel.pages import DEFAULT_PAGE, MAX_PAGE, PageToken
from shared.operations.capabilities import DATABASE
from shared.operations.declaration import RateClass, operation

Word = Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]{1,128}$")]
ResourcePrefix = Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]{1,512}$")]


@operation(
    "GET /audit-events", permission=Permission.AUDIT_READ, rate_class=RateClass.READ, uses=[DATABASE.connect]
)  # fmt: skip
async def list_audit_events(
    caller: Caller,
    services: Services,
    actor: Word | None = None,
    operation_id: Word | None = None,
    kind: EventKind | None = None,
    outcome: Word | None = None,
    resource: ResourcePrefix | None = None,
    since: Moment | None = None,
    until: Moment | None = None,
    limit: Annotated[int, Field(ge=1, le=MAX_PAGE)] = DEFAULT_PAGE,
    page_token: PageToken | None = None,
) -> AuditEventList:
    """List what was done in the caller's organisation and by whom, newest first; an act is found some seconds after it.

    `resource` finds all whose path begins so; `since` is included, `until` is not.

    Raises: InvalidPageTokenError, BrokenChainError, NoDatabaseError, DatabaseUnavailableError, DatabaseBusyError.
    """
    wanted = AuditFilter(actor, operation_id, kind, outcome, resource or "", since, until)
    page = await services.relational.audit_queries.page(caller.tenant, wanted, limit, page_token)
    items = [AuditEventDescription.of(event) for event in page.items]
    return AuditEventList(items=items, next_page_token=page.next_page_token)
