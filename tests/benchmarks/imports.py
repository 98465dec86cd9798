"""How long each function takes to import, in a fresh interpreter, beside an interpreter that imports nothing."""

import statistics
import subprocess
import sys
from pathlib import Path

from shared.operations.declaration import HttpTrigger, Operation
from shared.operations.registry import all_operations
from tests.benchmarks.table import Table

ROOT = Path(__file__).resolve().parents[2]
ROUNDS = 3


def import_ms(operation: Operation) -> float:
    """Return the milliseconds that a cold start spends on importing the entry and building its handler."""
    entry = "shared.operations.http, mangum" if isinstance(operation.trigger, HttpTrigger) else "shared.operations"
    program = (
        "import time; started = time.perf_counter();"
        f"import shared.composition.entry, {operation.module}, {entry};"
        "print((time.perf_counter() - started) * 1000)"
    )
    runs: list[str] = [
        subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True).stdout
        for _ in range(ROUNDS)
    ]
    return statistics.median(float(run) for run in runs)


def run() -> Table:
    rows = sorted(((import_ms(operation), operation) for operation in all_operations()), key=lambda row: -row[0])
    fastest = rows[-1][0]
    return Table(
        "Import time",
        f"Entry, operation and, for routes, the web stack, in a fresh interpreter; median of {ROUNDS}. Libraries that "
        "an adapter loads on first use are not in it. `make synth` prints sizes per asset.",
        ("Operation", "÷ lightest", "Import"),
        [(f"`{operation.id}`", f"{taken / fastest:.1f}", f"{taken:.0f} ms") for taken, operation in rows],
    )
