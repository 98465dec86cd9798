"""Run every benchmark, or those named, into docs/benchmarks.md: `python -m tests.benchmarks [NAME …]`."""

import importlib
import sys
from pathlib import Path

from tests.benchmarks.page import Run, section, with_sections

NAMES = (
    "entry_layer", "requests", "audited", "isolation", "cells", "cell_routing", "moves", "audit", "relational",
    "embedding", "indexing", "search", "imports",
)  # fmt: skip
PAGE = Path(__file__).resolve().parents[2] / "docs" / "benchmarks.md"


def main() -> None:
    for name in sys.argv[1:] or NAMES:
        print(f"… {name}", file=sys.stderr, flush=True)
        run = Run.of(name)
        written = section(importlib.import_module(f"tests.benchmarks.{name}").run(), run)
        print(written, flush=True)
        PAGE.write_text(with_sections(PAGE.read_text(encoding="utf-8"), [written]), encoding="utf-8")


if __name__ == "__main__":
    main()
