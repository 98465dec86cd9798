"""The npm package `@cloud-copilot/iam-simulate`: installed on first use from its own lock, run by the wheel's Node.

It is a tool of these tests alone, under the AGPL, and no part of anything that is shipped. To raise its version: change
`simulator/package.json` and run `make lock`.
"""

import hashlib
import json
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from infra_cdk.node import node_folder
from localstack.install import npm

ROOT: Final = Path(__file__).resolve().parents[2]
SOURCES: Final = Path(__file__).parent / "simulator"
ACCOUNT: Final = "123456789012"
ALLOWED: Final = "Allowed"


@dataclass(frozen=True)
class Request:
    """One action as IAM sees it, under a role's policy and, with one, a session's; both are named."""

    role: str
    session: str | None
    action: str
    resource: str
    context: Mapping[str, Any] = field(default_factory=dict)
    account: str = ACCOUNT


def simulate(policies: Mapping[str, Any], requests: Sequence[Request]) -> list[bool]:
    """Return of each request whether it is allowed. Raises: AssertionError for one that IAM does not know."""
    script = _installed() / "simulate.mjs"
    with TemporaryDirectory() as folder:
        asked, answered = Path(folder) / "asked.json", Path(folder) / "answered.json"
        asked.write_text(json.dumps({"policies": policies, "requests": [asdict(one) for one in requests]}))
        subprocess.run([str(node_folder() / "node"), str(script), str(asked), str(answered)], check=True)
        answers = json.loads(answered.read_text())
    unknown = {answer for answer in answers if answer not in {ALLOWED, "ImplicitlyDenied", "ExplicitlyDenied"}}
    assert not unknown, unknown
    return [answer == ALLOWED for answer in answers]


def _installed() -> Path:
    sources = [SOURCES / "package.json", SOURCES / "package-lock.json", SOURCES / "simulate.mjs", ROOT / ".npmrc"]
    digest = hashlib.sha256(b"\0".join(source.read_bytes() for source in sources)).hexdigest()[:16]
    folder = ROOT / ".tessera" / "policy-simulator" / digest
    if not (folder / ".installed").exists():
        folder.mkdir(parents=True, exist_ok=True)
        for source in sources:
            shutil.copy(source, folder)
        npm("ci", "--prefix", str(folder))
        (folder / ".installed").touch()
    return folder
