"""The hostile documents as cases: what each file is, and how its parsing must end."""

import importlib.util
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from tests.shared_data import DATA

CANARY_FILE = "tessera-traversal-canary.txt"
FORBIDDEN_PORT = 9
REJECTED = "rejected with a reason"
_SCRIPT = DATA / "hostile" / "make_hostile.py"


@dataclass(frozen=True, slots=True)
class HostileCase:
    """One line of the script's table."""

    file: str
    outcome: str
    must_contain: tuple[str, ...]
    must_not_contain: tuple[str, ...]
    either_outcome: bool
    seconds: float
    content: bytes


def hostile_names() -> list[str]:
    """Return the names of all cases without making their files; nothing where the shared data is absent."""
    return [str(case["file"]) for case in _cases()]


def hostile_case(name: str) -> HostileCase:
    """Make the file called `name` in memory."""
    case = next(each for each in _cases() if each["file"] == name)
    return HostileCase(
        file=name,
        outcome=str(case["outcome"]),
        must_contain=tuple(case["must_contain"]),
        must_not_contain=tuple(case["must_not_contain"]),
        either_outcome=bool(case["also_acceptable"]),
        seconds=float(case["seconds"]),
        content=case["_make"](),
    )


def _cases() -> list[dict[str, Any]]:
    if not _SCRIPT.is_file():
        return []
    module = sys.modules.get("make_hostile") or _loaded(_SCRIPT)
    cases: list[dict[str, Any]] = module.CASES
    return cases


def _loaded(script: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_hostile", script)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["make_hostile"] = module
    spec.loader.exec_module(module)
    return module
