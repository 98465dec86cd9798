"""Where tenant contexts come from: verified callers, our own messages, paths of operators, changes of a table (T5).

An operation that cannot know its one tenant beforehand declares so, with the reason (`across_tenants`). One that
declares nothing and has no tenant either, such as a schedule, reaches no tenant's data at all.
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Final

from shared.identity.caller import Caller
from shared.identity.permissions import Permission
from shared.kernel.ids import TenantId
from shared.kernel.tenants import TenantContext, ambient, is_tenant_name, take_seal
from shared.operations.declaration import DeclarationError, HttpTrigger, Operation

TENANT_IN_PATH: Final = "tenant_id"
"""The part of a path that names a tenant: on routes of operators, and on those that anybody may call."""

_PARTITION_KEY: Final = "pk"
_PARTITION_PREFIX: Final = "t#"

_seal: Final = take_seal()


def within(tenant: TenantId) -> AbstractContextManager[None]:
    """Work for one tenant. Raises: TenantContextError for what is no tenant's name."""
    return ambient(TenantContext(_seal, tenant))


def across(operation: Operation) -> AbstractContextManager[None]:
    """Work for whatever tenant each call names. Raises: DeclarationError unless the operation declares why."""
    if not operation.across_tenants:
        raise DeclarationError(f"{operation.id} does not declare that it works across tenants.")
    return ambient(TenantContext(_seal, None))


def for_caller(caller: Caller | None) -> AbstractContextManager[None]:
    """Work for the caller's tenant; for strangers for none."""
    return nullcontext() if caller is None else within(caller.tenant)


def for_request(operation: Operation | None, path: Mapping[str, Any]) -> AbstractContextManager[None]:
    """Work for the tenant that a request is about, where that is not simply the caller's own."""
    if operation is None or not isinstance(operation.trigger, HttpTrigger):
        return nullcontext()
    if operation.across_tenants:
        return across(operation)
    named = path.get(TENANT_IN_PATH)
    is_named_by_right = operation.trigger.permission in {None, Permission.TENANT_OPERATE}
    if isinstance(named, str) and is_named_by_right and is_tenant_name(named):
        return within(TenantId(named))
    return nullcontext()


def for_message(operation: Operation, message: Any) -> AbstractContextManager[None]:
    """Work for the tenant that a message of ours names as `tenant`.

    One that names none reaches no data, unless the operation declares why it serves several.
    """
    tenant = getattr(getattr(message, "root", message), "tenant", None)
    return across(operation) if tenant is None and operation.across_tenants else _for(tenant)


def for_change(operation: Operation, keys: Mapping[str, Any]) -> AbstractContextManager[None]:
    """Work for the tenant whose item changed."""
    if operation.across_tenants:
        return across(operation)
    partition = str(keys.get(_PARTITION_KEY, ""))
    tenant = partition.removeprefix(_PARTITION_PREFIX).partition("#")[0]
    return _for(TenantId(tenant) if partition.startswith(_PARTITION_PREFIX) and is_tenant_name(tenant) else None)


def for_invocation(operation: Operation, request: object = None) -> AbstractContextManager[None]:
    """Work for the tenant that a command names as `tenant`; schedules and the authorizer name none."""
    if operation.across_tenants:
        return across(operation)
    return _for(getattr(request, "tenant", None))


def _for(tenant: TenantId | None) -> AbstractContextManager[None]:
    return nullcontext() if tenant is None else within(tenant)
