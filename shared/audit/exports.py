"""Exporting the audit log: files of lines and hashes that anybody can verify without us (T7).

A file holds a part of the log without gaps, so its hashes can be computed again from its lines; events at its edges
may be a moment outside of the time that was asked for. A long time is exported file by file, each request for one.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, ClassVar, Final, Protocol

from pydantic import Field, StrictInt

from shared.audit.chain import Link, genesis, line_hash
from shared.audit.projection import BrokenChainError
from shared.audit.queries import sequence_of
from shared.audit.read_model import AuditReadModel, HashedLine, Stretch
from shared.kernel.bodies import Description, Moment, Request
from shared.kernel.clock import Clock
from shared.kernel.errors import Kind, TesseraError
from shared.kernel.ids import TenantId, moment_of_id
from shared.kernel.pages import InvalidPageTokenError, PageToken, page_token, read_page_token

LINES_PER_FILE: Final = 10_000
"""About 5 MB, and a second from the request to the link."""
LINK_LIFETIME: Final = timedelta(minutes=15)
LIST: Final = "audit-exports"


class InvalidExportRangeError(TesseraError):
    """The end of the time is not behind its beginning."""

    code: ClassVar[str] = "invalid-export-range"
    kind: ClassVar[Kind] = Kind.INVALID


class ExportAuditLogRequest(Request):
    """Which time to export: `since` is included, `until` is not. Without them, all there is when it is asked for."""

    since: Moment | None = None
    until: Moment | None = None
    limit: Annotated[StrictInt, Field(ge=1, le=LINES_PER_FILE)] = LINES_PER_FILE
    """Lines of one file at most."""
    page_token: PageToken | None = None


class AuditExport(Description):
    """One file of an export: text, one line of the log per line, each after its hash and a space.

    The hash of a line is SHA-256 of the 32 bytes of the hash before it and the line's own bytes; `previous_hash`
    (hexadecimal) is the one before the first line. `url` serves the file until `expires_at`, None when no event fits.
    With a `next_page_token` there is more: send the same request again with it.
    """

    id: str
    events: int
    first_seq: int | None = None
    last_seq: int | None = None
    previous_hash: str | None = None
    last_hash: str | None = None
    sha256: str | None = None
    size_bytes: int = 0
    url: str | None = None
    expires_at: datetime | None = None
    next_page_token: PageToken | None = None


class ExportStore(Protocol):
    """Where exports are kept."""

    async def put(self, tenant: TenantId, name: str, content: bytes) -> bytes:
        """Keep a file, and return what is kept: one of that name stays as it is."""
        ...

    async def link(self, tenant: TenantId, name: str, lifetime: timedelta) -> str:
        """Return an address from which anybody can fetch the file for a while."""
        ...


@dataclass(frozen=True, slots=True)
class AuditExports:
    """Writes exports, a file for each request."""

    read_model: AuditReadModel
    store: ExportStore
    clock: Clock

    async def export(self, tenant: TenantId, export_id: str, request: ExportAuditLogRequest) -> AuditExport:
        """Write the next file of what `request` asks for. Again with the same id, it is the same file.

        Raises: InvalidExportRangeError, InvalidPageTokenError, BrokenChainError, DatabaseUnavailableError.
        """
        begun = moment_of_id(export_id)
        until = begun if request.until is None else min(request.until, begun)
        if request.since is not None and request.since >= (request.until or until):
            raise InvalidExportRangeError("Let `until` be later than `since`.")
        whole = await self._whole(tenant, request, until)
        if whole is None:
            return AuditExport(id=export_id, events=0)
        first_seq, last_seq = whole.first_seq, min(whole.last_seq, whole.first_seq + request.limit - 1)
        lines = await self.read_model.lines(tenant, Stretch(first_seq - 1, last_seq))
        previous = genesis(tenant) if first_seq == 1 or not lines else lines.pop(0).place
        if not lines:
            raise InvalidPageTokenError("The page token leads behind the end of the log. Start again without it.")
        _check_chain(previous, first_seq, lines)
        content = b"".join(one.hash.hex().encode() + b" " + one.line + b"\n" for one in lines)
        name = f"{export_id}/{first_seq:020}.log"
        # The copy may have grown since the first of several equal requests; what that one was given is what stands.
        content = await self.store.put(tenant, name, content)
        last_hash, count = content.splitlines()[-1].partition(b" ")[0].decode(), content.count(b"\n")
        part = Stretch(first_seq, first_seq + count - 1)
        return AuditExport(
            id=export_id,
            events=count,
            first_seq=part.first_seq,
            last_seq=part.last_seq,
            previous_hash=previous.hash.hex(),
            last_hash=last_hash,
            sha256=hashlib.sha256(content).hexdigest(),
            size_bytes=len(content),
            url=await self.store.link(tenant, name, LINK_LIFETIME),
            expires_at=self.clock.now() + LINK_LIFETIME,
            next_page_token=None if part == whole else _token(tenant, request, part, whole),
        )

    async def _whole(self, tenant: TenantId, request: ExportAuditLogRequest, until: datetime) -> Stretch | None:
        """Return what is left to export: by the token, which says where the last file ended, or by the time."""
        if request.page_token is None:
            return await self.read_model.stretch(tenant, request.since, until)
        place = read_page_token(request.page_token, *_of_list(tenant, request))
        first, _, last = place.partition("-")
        return Stretch(max(sequence_of(first), 1), sequence_of(last))


def _check_chain(previous: Link, first_seq: int, lines: Sequence[HashedLine]) -> None:
    """Raises: BrokenChainError unless `lines`, of which `first_seq` is the first, continue the chain behind `previous`.

    The copy is not what is sealed: whoever owns its tables can change it.
    """
    if previous.seq != first_seq - 1:
        raise BrokenChainError(first_seq)
    for one in lines:
        following = Link(previous.seq + 1, line_hash(previous.hash, one.line))
        if one.place != following:
            raise BrokenChainError(following.seq)
        previous = following


def _token(tenant: TenantId, request: ExportAuditLogRequest, part: Stretch, whole: Stretch) -> PageToken:
    return page_token(f"{part.last_seq + 1}-{whole.last_seq}", *_of_list(tenant, request))


def _of_list(tenant: TenantId, request: ExportAuditLogRequest) -> tuple[str | None, ...]:
    moments = (None if one is None else one.isoformat() for one in (request.since, request.until))
    return (tenant, LIST, *moments)
