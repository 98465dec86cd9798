"""Answers without what is new in each of them: random ids, secrets and moments, renamed by the order of appearance."""

import re
from collections.abc import Collection, Mapping
from typing import Final

_NEW_EACH_TIME: Final = re.compile(
    r"(?P<form>(?<=\"policy\":\")[^\"]+|(?<=\"x-amz-date\":\")[^\"]+|(?<=\"x-amz-credential\":\")[^\"]+"
    r"|(?<=\"x-amz-security-token\":\")[^\"]+|(?<=-signature\":\")[^\"]+|(?<=-sha256\":\")[^\"]+)"
    r"|(?P<token>eyJ[\w-]+\.[\w-]+\.[\w-]+|\bt[a-z]{2}_[a-z0-9-]+\.[0-9a-z]{26}\.[\w-]{43})"
    r"|(?P<user>\busr_[0-9a-z]{26})"
    r"|(?P<id>\b(?:kb|doc|ws|inv|key|idp|upload|task|evt|ses|exp)_[0-9a-z]{26}|\btn-[0-9a-z]{26})"
    r"|(?P<tenant>\b(?:tenant|canary)-[0-9a-f]{12})"
    r"|(?P<moment>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|\+00:00))"
    r"|(?P<version>\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b)"
    r"|(?P<address>\b[0-9a-z]{26,32}@)"
    r"|(?P<secret>\b[\w-]{43}\b)"
)

Told = tuple[int, Mapping[str, str], bytes]


def masked(
    status: int, headers: Mapping[str, str], body: bytes, but: Collection[str] = ()
) -> tuple[int, dict[str, str], str]:
    """Return an answer with numbers in place of what is new each time: the same thing has the same number.

    Kinds named in `but` stay as they are.
    """
    names: dict[str, str] = {}

    def number(found: re.Match[str]) -> str:
        kind = found.lastgroup or ""
        if kind in but:
            return found[0]
        if kind in {"form", "moment", "token", "secret", "version"}:
            return f"<{kind}>"
        return names.setdefault(found[0], f"<{kind} {len(names)}>")

    plain = {name: _NEW_EACH_TIME.sub(number, value) for name, value in sorted(headers.items())}
    return status, plain, _NEW_EACH_TIME.sub(number, body.decode())
