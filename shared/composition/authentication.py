"""Who a request comes from, where no gateway stands in front: the whole API in one process."""

from collections.abc import Awaitable, Callable

from fastapi import Request

from shared.identity.caller import Caller
from shared.kernel.errors import Kind, TesseraError
from shared.operations.authorizers import bearer_of
from shared.operations.http import CallerOf


def caller_of_bearer(authenticate: Callable[[str], Awaitable[Caller]]) -> CallerOf:
    """Return what recognises the sender of a request as the gateway's authorizer would: refused is nobody."""

    async def caller_of(request: Request) -> Caller | None:
        bearer = bearer_of(request.headers.get("authorization", ""))
        if bearer is None:
            return None
        try:
            return await authenticate(bearer)
        except TesseraError as error:
            if error.kind is Kind.UNAUTHENTICATED:
                return None
            raise

    return caller_of
