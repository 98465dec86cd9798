"""Steps made from the declarations: any operation of a member's, on things that numbers and names stand for.

An operation that is new joins by itself. What it needs beyond `BODIES` is for `_OF_ITS_OWN` to say, and a parameter of
its path that names something new for `_ids`.
"""

from collections.abc import Mapping
from typing import Any, Final

from hypothesis import strategies as st

from shared.identity.permissions import Permission, Role
from tests.api.declared import BODIES, ROUTES, path_of, path_parameters
from tests.isolation.steps import FILES, NAMES, TEXTS, Actor, Seen, Step, document_of, numbered

CALLED: Final = tuple(
    name
    for name, (_, route) in ROUTES.items()
    if route.permission is not None and route.permission is not Permission.TENANT_OPERATE
)
"""Whatever a member may ask for; people without a tenant, and operators, see no tenant's data."""

NEVER_DONE: Final = {
    "change_password": "Accounts are people's, and those here have no password.",
    "create_identity_provider": "Its issuer has to answer: tests/oidc.",
    "delete_identity_provider": "There is none.",
}
"""What is asked for here and never done, and why."""

_OF_ITS_OWN: Final[Mapping[str, dict[str, Any]]] = {
    "create_identity_provider": {"name": "Sign-in", "issuer": "https://issuer.example", "client_id": "public"},
    "change_password": {"present_password": "none", "new_password": "seven green boats at dawn"},
    "export_audit_log": {"limit": 100},
    "invite_member": {"email": "carol@people.example", "role": "viewer"},
    "preview_chunks": {"text": TEXTS[0], "name": FILES[0]},
    "transfer_ownership": {"user_id": "eve.viewer"},
    "update_tenant": {"name": NAMES[1]},
}


async def call(actor: Actor, operation: str, number: int, name: str) -> Seen:
    """Ask for an operation on the `number`-th of everything, and the document called `name`."""
    _, route = ROUTES[operation]
    body = _OF_ITS_OWN.get(operation, BODIES.get(operation))
    parts: dict[str, Any] = {} if body is None or route.method == "GET" else {"json": body}
    # Not the one whose sessions the other steps use: some of these end them.
    user = (
        f"who-{operation}" if operation in {"end_all_sessions", "leave_tenant", "transfer_ownership"} else "ada@example"
    )
    path = path_of(operation, **_ids(actor, operation, number, name))
    return [await actor.tenant.send(route.method, path, Role.OWNER, user=user, **parts)]


async def drop(actor: Actor, base: int, name: str) -> Seen:
    """Put a file into the bucket and take it in; it waits to be parsed."""
    kb_id = numbered("kb", base)
    dropped = await actor.tenant.drop(kb_id, name, f"What {name} says.")
    return [await actor.send("GET", f"/knowledge-bases/{kb_id}/documents/{dropped.document_id}")]


def _ids(actor: Actor, operation: str, number: int, name: str) -> dict[str, str]:
    base = numbered("kb", number)
    known = {
        "kb_id": base,
        "document_id": document_of(actor, base, name),
        "workspace_id": numbered("ws", number),
        "invitation_id": numbered("inv", number),
        "key_id": numbered("key", number),
        "provider_id": numbered("idp", number),
        "user_id": f"{('eve', 'mallory', 'nobody')[number - 1]}.{Role.VIEWER.value}",
    }
    missing = [parameter for parameter in path_parameters(operation) if parameter not in known]
    assert not missing, f"{operation} names {missing}: say in tests/isolation/calls.py which ones two tenants have."
    return known


CALLS: Final = st.builds(
    Step,
    st.just(call),
    st.fixed_dictionaries(
        {
            "operation": st.sampled_from(CALLED),
            "number": st.sampled_from([1, 1, 2, 3]),
            "name": st.sampled_from(FILES),
        }
    ),
)

_LATE: Final = ("cancel_document", "retry_document", "delete_document", "end_all_sessions", "transfer_ownership")
_LAST: Final = ("remove_member", "revoke_invitation", "revoke_api_key", "delete_workspace", "delete_knowledge_base")


def everything() -> list[Step]:
    """Return each operation once: those that end something go last, in an order in which none takes away the next."""
    early = [name for name in CALLED if name not in {*_LATE, *_LAST}]
    steps = [Step(call, {"operation": name, "number": 1, "name": FILES[0]}) for name in early]
    waiting = Step(drop, {"base": 1, "name": "a.md"})
    late = [Step(call, {"operation": name, "number": 1, "name": "a.md"}) for name in _LATE]
    return [*steps, waiting, *late, *(Step(call, {"operation": name, "number": 1, "name": "a.md"}) for name in _LAST)]
