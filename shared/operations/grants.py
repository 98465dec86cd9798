"""What one function was granted, and the refusal of everything else: least privilege where no emulator enforces IAM."""

from collections.abc import Iterable, Mapping

from shared.operations.capabilities import Capability


class UndeclaredUseError(Exception):
    """Code used something that its operation does not declare: a defect, in tests as in production, and no caller's."""


class Grants:
    """The declared capabilities of one function (or of several, where an app serves them all)."""

    def __init__(self, capabilities: Iterable[Capability], operation_id: str = "") -> None:
        """`operation_id` says in logs whose they are."""
        self.operation_id = operation_id
        self._capabilities = frozenset(capabilities)
        self._actions: Mapping[str, frozenset[str]] = _actions_by_resource(self._capabilities)

    def require(self, *capabilities: Capability) -> None:
        """Raises: UndeclaredUseError when one of `capabilities` is not declared."""
        for capability in capabilities:
            if capability not in self._capabilities:
                raise UndeclaredUseError(f"Declare {capability.id} in the operation's uses.")

    def require_any(self, *capabilities: Capability) -> None:
        """Raises: UndeclaredUseError when none of `capabilities` is declared."""
        if self._capabilities.isdisjoint(capabilities):
            self.require(*capabilities)

    def require_action(self, resource_name: str, action: str) -> None:
        """Raises: UndeclaredUseError when no declared capability carries `action` on the resource."""
        if action not in self._actions.get(resource_name, frozenset()):
            raise UndeclaredUseError(f"{action} on {resource_name} is not covered by the operation's uses.")

    @property
    def capabilities(self) -> frozenset[Capability]:
        return self._capabilities

    def __contains__(self, capability: object) -> bool:
        return capability in self._capabilities


def _actions_by_resource(capabilities: Iterable[Capability]) -> dict[str, frozenset[str]]:
    actions: dict[str, set[str]] = {}
    for capability in capabilities:
        actions.setdefault(capability.resource.name, set()).update(capability.actions, capability.actions_within)
    return {name: frozenset(granted) for name, granted in actions.items()}
