"""What asking for a verification or a mending of an audit log looks like, and the answers."""

from pydantic import Field

from shared.audit.chain import Link
from shared.audit.log_verification import Verified
from shared.audit.mending import Mending, MendingOutcome
from shared.audit.verification import Fault, Finding, Progress
from shared.kernel.bodies import Description, Request
from shared.kernel.ids import TenantId
from shared.kernel.pages import InvalidPageTokenError, PageToken, page_token, read_page_token

_LIST = "audit-log-verification"


class VerifyWholeLogRequest(Request):
    """Whose log; with a token, from where an earlier answer ended."""

    tenant: TenantId
    page_token: PageToken | None = None


class FindingDescription(Description):
    """What is wrong with lines `first_seq` to `last_seq`, both included."""

    fault: Fault
    first_seq: int
    last_seq: int
    message: str

    @classmethod
    def of(cls, finding: Finding) -> "FindingDescription":
        return cls(fault=finding.fault, first_seq=finding.first_seq, last_seq=finding.last_seq, message=finding.message)


class LogVerificationDescription(Description):
    """What was verified: lines `first_seq` to `last_seq`; none when the latter is less.

    `is_intact` speaks of these lines alone. With `next_page_token` there are more; without, the end was compared with
    the head of the log and its anchors.
    """

    is_intact: bool
    first_seq: int
    last_seq: int
    events: int = Field(description="how many lines were looked at")
    last_hash: str = Field(description="SHA-256 of the last line and all before it, hexadecimal")
    findings: list[FindingDescription]
    next_page_token: PageToken | None

    @classmethod
    def of(cls, tenant: TenantId, verified: Verified) -> "LogVerificationDescription":
        return cls(
            is_intact=not verified.findings,
            first_seq=verified.first_seq,
            last_seq=verified.last_seq,
            events=verified.events,
            last_hash=verified.end.hash.hex(),
            findings=[FindingDescription.of(finding) for finding in verified.findings],
            next_page_token=None if verified.following is None else write_progress(tenant, verified.following),
        )


class MendAuditHeadRequest(Request):
    """Whose log."""

    tenant: TenantId


class HeadMendingDescription(Description):
    """What became of the head of a log that ends with line `seq`, and what kept it from being mended."""

    outcome: MendingOutcome
    seq: int
    hash: str = Field(description="SHA-256 of that line and all before it, hexadecimal")
    findings: list[FindingDescription]

    @classmethod
    def of(cls, mending: Mending) -> "HeadMendingDescription":
        findings = [FindingDescription.of(finding) for finding in mending.findings]
        return cls(outcome=mending.outcome, seq=mending.end.seq, hash=mending.end.hash.hex(), findings=findings)


def write_progress(tenant: TenantId, progress: Progress) -> PageToken:
    """Return the token of a place in the verification of a tenant's log."""
    place = progress.place
    return page_token(f"{place.seq}:{place.hash.hex()}:{progress.stored.hex()}", tenant, _LIST)


def read_progress(tenant: TenantId, token: PageToken | None) -> Progress | None:
    """Return the place that `token` says; None without one. Raises: InvalidPageTokenError.

    Whoever makes up a token deceives nobody but themselves.
    """
    if token is None:
        return None
    try:
        seq, place_hash, stored = read_page_token(token, tenant, _LIST).split(":")
        return Progress(Link(int(seq), bytes.fromhex(place_hash)), bytes.fromhex(stored))
    except ValueError:
        raise InvalidPageTokenError("The page token says no place of the log. Start again without it.") from None
