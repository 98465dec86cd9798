"""Run every benchmark, or those named, and write docs/benchmarks.md: `python -m tests.benchmarks [NAME …]`."""

import importlib
import os
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path

NAMES = (
    "entry_layer", "requests", "audited", "isolation", "cells", "cell_routing", "moves", "audit", "relational",
    "embedding", "indexing", "search", "imports",
)  # fmt: skip
PAGE = Path(__file__).resolve().parents[2] / "docs" / "benchmarks.md"


def main() -> None:
    chosen = tuple(sys.argv[1:]) or NAMES
    sections = []
    for name in chosen:
        print(f"… {name}", file=sys.stderr, flush=True)
        table = importlib.import_module(f"tests.benchmarks.{name}").run()
        print(table.as_markdown(), flush=True)
        sections.append(table.as_markdown())
    if chosen == NAMES:
        machine = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
        head = (
            "# Benchmarks\n\nWritten by `make bench`. Ratios come from one run in which both sides take turns, so they "
            f"hold on another machine; bare times do not.\n\nLast run: {datetime.now(UTC):%Y-%m-%d}, {machine}.\n\n"
        )
        PAGE.write_text(head + "\n".join(sections), encoding="utf-8")


if __name__ == "__main__":
    main()
