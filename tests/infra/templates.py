"""The synthesized templates of one environment, and how their references resolve."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[2]


def context_of(environment: str, **more: Any) -> dict[str, Any]:
    """Return the context of a deployment, with the flags of cdk.json and without building any asset."""
    flags: dict[str, Any] = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["context"]
    return {**flags, "aws:cdk:bundling-stacks": [], "environment": environment, **more}


@dataclass(frozen=True)
class Resource:
    """One resource of a template: the stack and logical id it has, its type and properties."""

    stack: str
    logical_id: str
    type: str
    properties: Mapping[str, Any]
    body: Mapping[str, Any]


@dataclass(frozen=True)
class Templates:
    """All templates of an environment by stack name."""

    environment: str
    by_stack: Mapping[str, Mapping[str, Any]]

    @classmethod
    def read(cls, environment: str, folder: Path) -> "Templates":
        files = sorted(folder.glob("*.template.json"))
        return cls(
            environment, {file.name.removesuffix(".template.json"): json.loads(file.read_text()) for file in files}
        )

    def all(self, kind: str) -> list[Resource]:
        """Return every resource of a type, over all stacks."""
        return [resource for resource in self._resources() if resource.type == kind]

    def _resources(self) -> Iterator[Resource]:
        for stack, template in self.by_stack.items():
            for logical_id, body in template["Resources"].items():
                yield Resource(stack, logical_id, body["Type"], body.get("Properties", {}), body)

    def resolve(self, stack: str, value: Any) -> Any:
        """Follow `value` to what it stands for: text, or `<stack>.<logical id>.<attribute>` of a resource.

        References between stacks are followed through the other stack's output.
        """
        if isinstance(value, list):
            return [self.resolve(stack, one) for one in value]
        if not isinstance(value, dict):
            return value
        if len(value) != 1:
            return {name: self.resolve(stack, one) for name, one in value.items()}
        (name, argument), *_ = value.items()
        match name:
            case "Ref":
                return f"<{argument}>" if argument.startswith("AWS::") else f"{stack}.{argument}.Ref"
            case "Fn::GetAtt":
                return f"{stack}.{argument[0]}.{argument[1]}"
            case "Fn::GetStackOutput":
                other = argument["StackName"]
                return self.resolve(other, self.by_stack[other]["Outputs"][argument["OutputName"]]["Value"])
            case "Fn::ImportValue":
                return self._exported(self.resolve(stack, argument))
            case "Fn::Join":
                return argument[0].join(str(self.resolve(stack, part)) for part in argument[1])
        return {name: self.resolve(stack, argument)}

    def _exported(self, name: str) -> Any:
        for stack, template in self.by_stack.items():
            for output in template.get("Outputs", {}).values():
                if output.get("Export", {}).get("Name") == name:
                    return self.resolve(stack, output["Value"])
        raise LookupError(f"No stack exports {name}.")
