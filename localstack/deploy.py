"""Deploy the production template to a running emulator, and tell where its parts are.

Nothing is synthesised, built or deployed while the sources are those of the last deployment and its stacks stand.
"""

import json
import shlex
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from localstack import aws
from localstack.emulator import ACCOUNT, REGION, Emulator
from localstack.failures import LocalCloudError
from localstack.fingerprint import fingerprint
from localstack.install import NODE_MODULES, ROOT, node_environment

STACK_PREFIX: Final = "Tessera-local-"
BOOTSTRAP_STACK: Final = "CDKToolkit"
DEPLOY_TIMEOUT_S: Final = 900

SOURCES: Final = tuple(
    ROOT / name
    for name in ("infra_cdk", "functions", "shared", "cdk.json", "package-lock.json", "requirements/infra.lock")
)

_STANDS: Final = {"CREATE_COMPLETE", "UPDATE_COMPLETE"}


@dataclass(frozen=True, slots=True)
class Deployment:
    """What stands on the emulator: a digest of what it was made from, and the outputs of all stacks by name."""

    fingerprint: str
    outputs: Mapping[str, str]


def deploy(emulator: Emulator, context: Mapping[str, str], log: Path) -> tuple[Deployment, bool]:
    """Make the emulator hold the stacks of the present sources; return them and whether anything had to be done.

    `context` is passed on to the CDK app. Raises: LocalCloudError with the end of the CDK's output.
    """
    wanted = fingerprint(SOURCES, [f"{name}={value}" for name, value in sorted(context.items())])
    file = emulator.directory / "deployment.json"
    states = _stack_states(emulator)
    ours = {name: state for name, state in states.items() if name.startswith(STACK_PREFIX)}
    last = _load(file)
    if last is not None and last.fingerprint == wanted and ours and set(ours.values()) <= _STANDS:
        return last, False
    file.unlink(missing_ok=True)
    _remove_unfinished(emulator, ours)
    if BOOTSTRAP_STACK not in states:
        # Where no app is in sight: the CDK would synthesize it, only to look for further environments.
        _cdklocal(emulator, log, emulator.directory, "bootstrap", f"aws://{ACCOUNT}/{REGION}")
    _cdklocal(
        emulator, log, ROOT,
        "deploy", "--all", "--require-approval", "never", "--concurrency", "4", "--method", "direct",
        "--app", f"{shlex.quote(sys.executable)} -m infra_cdk.app",
        # Beside the emulator's state: two local clouds do not overwrite each other's assembly.
        "--output", str(emulator.directory / "cdk.out"),
        *(part for name, value in context.items() for part in ("-c", f"{name}={value}")),
    )  # fmt: skip
    made = Deployment(wanted, _outputs(emulator))
    file.write_text(json.dumps(asdict(made)), encoding="utf-8")
    return made, True


def find(emulator: Emulator) -> Deployment | None:
    """Return the last finished deployment, whatever the present sources are."""
    return _load(emulator.directory / "deployment.json")


def _stack_states(emulator: Emulator) -> dict[str, str]:
    stacks = aws.cloudformation(emulator.endpoint).describe_stacks()["Stacks"]
    return {stack["StackName"]: stack["StackStatus"] for stack in stacks if stack["StackStatus"] != "DELETE_COMPLETE"}


def _remove_unfinished(emulator: Emulator, states: Mapping[str, str]) -> None:
    """Delete stacks that an interrupted deployment left half made: the CDK would wait for them for ever."""
    cloudformation = aws.cloudformation(emulator.endpoint)
    for name, state in states.items():
        if state not in _STANDS:
            cloudformation.delete_stack(StackName=name)
            cloudformation.get_waiter("stack_delete_complete").wait(
                StackName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
            )


def _outputs(emulator: Emulator) -> dict[str, str]:
    outputs: dict[str, str] = {}
    for stack in aws.cloudformation(emulator.endpoint).describe_stacks()["Stacks"]:
        if stack["StackName"].startswith(STACK_PREFIX):
            outputs |= {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}
    return outputs


def _cdklocal(emulator: Emulator, log: Path, where: Path, *arguments: str) -> None:
    environment = {
        **{name: value for name, value in node_environment().items() if not name.startswith("AWS_")},
        **emulator.environment,
        "CDK_DISABLE_CLI_TELEMETRY": "1",
        "CI": "true",  # plain lines instead of a moving display
    }
    argv = ["node", str(NODE_MODULES / "aws-cdk-local" / "bin" / "cdklocal"), *arguments]
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a+", encoding="utf-8", errors="replace") as output:
        begin = output.tell()
        try:
            outcome = subprocess.run(
                argv, cwd=where, env=environment, stdout=output, stderr=subprocess.STDOUT, check=False,
                timeout=DEPLOY_TIMEOUT_S,
            )  # fmt: skip
            failed = outcome.returncode != 0
        except subprocess.TimeoutExpired:
            failed = True
        output.seek(begin)
        end = "\n".join(output.read().splitlines()[-25:])
    if failed:
        raise LocalCloudError(
            f"`cdklocal {arguments[0]}` failed. The end of its output (all of it: {log}):\n{end}",
            "Run it again: what was made stays, what is half made is replaced. If that does not help: make clean run",
        )


def _load(file: Path) -> Deployment | None:
    return Deployment(**json.loads(file.read_text(encoding="utf-8"))) if file.exists() else None
