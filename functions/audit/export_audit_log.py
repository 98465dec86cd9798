"""Export the audit log as files that can be verified anywhere (T7)."""

from shared.audit.exports import AuditExport, ExportAuditLogRequest
from shared.composition.services import Services
from shared.identity.caller import Caller
from shared.identity.permissions import Permission
from shared.kernel.ids import IdempotencyKey
from shared.operations.capabilities import AUDIT_ARCHIVE, DATABASE, METADATA
from shared.operations.declaration import RateClass, operation


@operation(
    "POST /audit-exports",
    permission=Permission.AUDIT_READ,
    rate_class=RateClass.WRITE,
    status=201,
    uses=[DATABASE.connect, AUDIT_ARCHIVE.get, AUDIT_ARCHIVE.put, METADATA.read, METADATA.write],
    memory_mb=1024,
    timeout_s=20,
)
async def export_audit_log(
    request: ExportAuditLogRequest,
    caller: Caller,
    services: Services,
    idempotency_key: IdempotencyKey | None = None,
) -> AuditExport:
    """Write the next file of an export, up to 10,000 lines, and link to it. A long time takes several requests.

    Repeated with the same Idempotency-Key, it is the same file.

    Raises: InvalidExportRangeError, InvalidPageTokenError, IdempotencyKeyReusedError, BrokenChainError,
    NoDatabaseError, DatabaseUnavailableError, DatabaseBusyError.
    """
    asked_for = request.model_dump_json()
    export_id = await services.repeated_requests.choose_id(caller, "exp", idempotency_key, asked_for)
    return await services.relational.audit_exports.export(caller.tenant, export_id, request)
