"""What a route names in its path must be within the caller's reach, or looks missing (T3).

It is looked at for every route with `{kb_id}`, before the request is read any further: a handler cannot forget it, and
neither a bad body nor a slow parser tells what is there.
"""

from collections.abc import Callable
from typing import Final, Protocol

from fastapi import Request
from pydantic import TypeAdapter, ValidationError

from shared.identity.caller import Caller
from shared.kernel.ids import KnowledgeBaseId
from shared.operations.declaration import DeclarationError, HttpTrigger, Operation

KNOWLEDGE_BASE: Final = "kb_id"
"""The part of a path that names a knowledge base."""

_KB_ID: Final[TypeAdapter[KnowledgeBaseId]] = TypeAdapter(KnowledgeBaseId)


class Reach(Protocol):
    """Knows what lies within a caller's reach."""

    async def check(self, caller: Caller, kb_id: KnowledgeBaseId) -> None:
        """Raises: a TesseraError of kind MISSING, the same for what is not there and for what is out of reach."""
        ...


ReachOf = Callable[[Operation], Reach]
"""Return what one operation looks at a path with, limited to what it declares."""


class PathReach:
    """The look of one operation at its path."""

    def __init__(self, operation: Operation, trigger: HttpTrigger, reach_of: ReachOf | None) -> None:
        self._names_base = f"{{{KNOWLEDGE_BASE}}}" in trigger.path
        if self._names_base and reach_of is None:
            raise DeclarationError(f"{trigger.route} names a knowledge base, and nobody looks at who reaches it.")
        self._operation = operation
        self._reach_of = reach_of

    async def check(self, request: Request, caller: Caller) -> None:
        """Raises: a TesseraError of kind MISSING for a knowledge base that the caller does not reach."""
        if not self._names_base or self._reach_of is None:
            return
        try:
            kb_id = _KB_ID.validate_python(request.path_params[KNOWLEDGE_BASE])
        except ValidationError:
            return  # No id at all: the request is refused when its parameters are read.
        await self._reach_of(self._operation).check(caller, kb_id)
