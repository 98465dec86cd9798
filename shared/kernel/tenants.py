"""For whom the present invocation works: one tenant, or, where an operation declares it, several (T5, invariant 4).

It is ambient, so that whatever reaches a store can ask, threads of `asyncio.to_thread` included. Only the entry layer
makes contexts: it takes the seal when it is imported, and nobody gets it again.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final, NewType, NoReturn, final

from shared.kernel.ids import TenantId

TENANT_NAME: Final = r"[a-z0-9][a-z0-9-]{0,62}"
"""What ids of tenants look like: nothing in them means anything in a key, a path, an address or a policy."""

_NAME: Final = re.compile(TENANT_NAME)


AdmittedTenant = NewType("AdmittedTenant", TenantId)
"""A tenant for whom the present invocation works. Whatever puts a tenant into a key, a filter, a path or a setting of a
store takes this type, and `admitted` alone makes it: a store that does not ask does not pass the type checker."""


class TenantContextError(Exception):
    """Code reached for a tenant's data without working for that tenant: a defect, and no caller's."""


@final
class TenantContext:
    """One tenant, or with None any that a call names: then each call reaches one, and no two share a call."""

    __slots__ = ("_tenant",)
    _tenant: TenantId | None

    def __init__(self, seal: object, tenant: TenantId | None) -> None:
        """Raises: TenantContextError without the seal, or for what is no tenant's name."""
        if seal is not _SEAL:
            raise TenantContextError("Only the entry layer says for whom an invocation works.")
        if tenant is not None and not is_tenant_name(tenant):
            raise TenantContextError("No tenant has such a name.")
        object.__setattr__(self, "_tenant", tenant)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError("For whom an invocation works does not change.")

    def __init_subclass__(cls, **_: Any) -> NoReturn:
        raise TenantContextError("There is one kind of context.")

    @property
    def tenant(self) -> TenantId | None:
        return self._tenant

    def admits(self, tenant: TenantId) -> bool:
        return self._tenant is None or self._tenant == tenant


_SEAL: Final = object()
_handed_out: list[object] = []
_current: ContextVar[TenantContext | None] = ContextVar("tenant", default=None)


def take_seal() -> object:
    """Return what makes contexts, to whoever asks first: the entry layer. Raises: TenantContextError to all others."""
    if _handed_out:
        raise TenantContextError("The seal of tenant contexts has been taken.")
    _handed_out.append(_SEAL)
    return _SEAL


def is_tenant_name(name: str) -> bool:
    return _NAME.fullmatch(name) is not None


def current_tenant_context() -> TenantContext:
    """Raises: TenantContextError where nobody said for whom the work is done."""
    context = _current.get()
    if context is None:
        raise TenantContextError("No tenant is known here. Only operations reach tenants' data, through their entry.")
    return context


def admitted(tenant: TenantId) -> AdmittedTenant:
    """Return `tenant` as one that stores may be asked for.

    Raises: TenantContextError unless the invocation works for it.
    """
    if not current_tenant_context().admits(tenant):
        raise TenantContextError("A store is asked for another tenant than the one that is worked for.")
    return AdmittedTenant(tenant)


@contextmanager
def ambient(context: TenantContext) -> Iterator[None]:
    """Work for whom `context` says in the block, also in tasks and threads that it starts.

    Raises: TenantContextError for whatever looks like a context and is none.
    """
    if type(context) is not TenantContext:
        raise TenantContextError("Only the entry layer says for whom an invocation works.")
    token = _current.set(context)
    try:
        yield
    finally:
        _current.reset(token)
