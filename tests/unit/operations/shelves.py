"""An API of three operations, to which only tests have access: books are put on shelves."""

from typing import Annotated

from fastapi import FastAPI, Query, Request
from pydantic import BaseModel, ConfigDict

from shared.identity.caller import Caller
from shared.identity.permissions import Permission, Role
from shared.kernel.errors import Kind, TesseraError
from shared.kernel.ids import TenantId, UserId
from shared.operations.declaration import HttpTrigger, Operation, RateClass
from shared.operations.grants import Grants
from shared.operations.http import build_app
from tests.trails import trails_in_memory
from tests.unit.limits.memory import limiters_in_memory
from tests.unit.operations.samples import sample_operation

OWNER = {"x-role": "owner"}
JSON = {"content-type": "application/json"}


class ShelfMissingError(TesseraError):
    code = "shelf-missing"
    kind = Kind.MISSING


class ShelfBusyError(TesseraError):
    code = "shelf-busy"
    kind = Kind.UNAVAILABLE
    retry_after_s = 1.2


class Book(BaseModel):
    model_config = ConfigDict(extra="forbid")

    title: str


class Shelf(BaseModel):
    shelf: str
    tenant: str
    title: str
    copies: int
    note: str | None = None


class Services:
    name = "services of put_book"


async def put_book(
    shelf: str, book: Book, caller: Caller, services: Services, copies: Annotated[int, Query(ge=1)] = 1
) -> Shelf:
    """Put a book on a shelf.

    Raises: ShelfMissingError when there is no such shelf.
    """
    assert services.name == "services of put_book"
    if shelf == "missing":
        raise ShelfMissingError("Make the shelf first.", shelf=shelf)
    if shelf == "busy":
        raise ShelfBusyError("Try again.")
    if shelf == "undeclared":
        Grants([]).require_action("shelves", "shelf:Put")
    if shelf == "broken":
        raise RuntimeError("secret detail")
    return Shelf(shelf=shelf, tenant=caller.tenant, title=book.title, copies=copies)


async def list_books(shelf: str) -> list[str]:
    """List the books on a shelf."""
    return [shelf]


async def get_pulse() -> dict[str, str]:
    """Say that it lives."""
    return {"status": "ok"}


PUT_BOOK = sample_operation(
    put_book, HttpTrigger("POST", "/shelves/{shelf}/books", Permission.DOCUMENT_WRITE, RateClass.WRITE, 201)
)
LIST_BOOKS = sample_operation(
    list_books, HttpTrigger("GET", "/shelves/{shelf}/books", Permission.DOCUMENT_READ, RateClass.READ)
)
GET_PULSE = sample_operation(get_pulse, HttpTrigger("GET", "/pulse", None, RateClass.READ))


async def caller_of(request: Request) -> Caller | None:
    role = request.headers.get("x-role")
    return Caller(TenantId("acme"), UserId("ada"), Role(role)) if role else None


def app_of(*operations: Operation) -> FastAPI:
    """Return an app that knows a caller by the role in a header."""
    return build_app(
        operations, lambda operation: Services(), caller_of, limiters_in_memory(), trail_of=trails_in_memory()
    )
