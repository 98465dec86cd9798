"""`make synth`: write the templates of every environment, and print what the functions weigh and how fast they start.

Synthesis checks the templates against cdk-nag's rules and stops at the first finding. Import times are taken on this
machine, in a bare interpreter that has the group's package and nothing else.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from infra_cdk.node import use_node_of_the_wheel
from infra_cdk.packages import HOST, LAMBDA, LARGEST_MIB, ROOT, Target, build_package, content_hash, size_mib
from infra_cdk.settings import Environment
from shared.operations.capabilities import Group
from shared.operations.declaration import Operation
from shared.operations.registry import all_operations

OUTPUT: Final = ROOT / "cdk.out"
PACKAGES: Final = ROOT / ".tessera" / "packages"

MEASURE: Final = """
import sys, time
sys.path.insert(0, sys.argv[1])
started = time.perf_counter()
from shared.composition.entry import build_handler
from shared.composition.settings import Settings
from shared.operations.registry import load_operation
build_handler(load_operation(sys.argv[2], sys.argv[3]), Settings({}))
print((time.perf_counter() - started) * 1000)
"""
RUNS: Final = 3


def main() -> None:
    """Synthesize all environments, or those named on the command line."""
    use_node_of_the_wheel()
    for environment in sys.argv[1:] or list(Environment):
        synthesize(Environment(environment))
    report_functions()


def synthesize(environment: Environment) -> None:
    """Write the templates of one environment to `cdk.out/<environment>` and print what each stack holds."""
    folder = OUTPUT / environment
    flags = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["context"]
    context = {**flags, "environment": environment, "aws:cdk:disable-stack-trace": True}
    variables = {**os.environ, "CDK_OUTDIR": str(folder), "CDK_CONTEXT_JSON": json.dumps(context)}
    print(f"{environment}: templates in {folder.relative_to(ROOT)}", flush=True)
    outcome = subprocess.run([sys.executable, "-m", "infra_cdk.app"], cwd=ROOT, env=variables, check=False)
    if outcome.returncode != 0:
        sys.exit(f"✗ {environment} cannot be deployed as it is; the findings above say why.")
    for template in sorted(folder.glob("*.template.json")):
        resources = len(json.loads(template.read_text(encoding="utf-8"))["Resources"])
        name = template.name.removesuffix(".template.json")
        print(f"  {name:<32} {resources:>4} resources {template.stat().st_size / 1024:>7.0f} KiB")


def report_functions() -> None:
    """Print size and import time of every function; exit with a message when a package is too large for Lambda."""
    operations = all_operations()
    sizes = {group: size_mib(packed(group, LAMBDA)) for group in {one.group for one in operations}}
    print(f"\n{'function':<28} {'group':<8} {'MiB unzipped':>12} {'import ms':>10}")
    for operation in operations:
        milliseconds = import_time_ms(operation, packed(operation.group, HOST))
        print(f"{operation.id:<28} {operation.group:<8} {sizes[operation.group]:>12.0f} {milliseconds:>10.0f}")
    if too_large := [group for group, size in sizes.items() if size >= LARGEST_MIB]:
        sys.exit(f"✗ Larger than {LARGEST_MIB} MiB: {', '.join(too_large)}. Lambda refuses them at 250.")


def packed(group: Group, target: Target) -> Path:
    """Return the package of `group`, built unless it is there already."""
    place = PACKAGES / ("host" if target == HOST else "lambda") / group
    folder = place / content_hash(group, target)[:16]
    if not folder.exists():
        shutil.rmtree(place, ignore_errors=True)
        unfinished = place / "unfinished"
        unfinished.mkdir(parents=True)
        build_package(group, target, unfinished)
        unfinished.rename(folder)
    return folder


def import_time_ms(operation: Operation, package: Path) -> float:
    """Return the best of a few starts: other programs of the machine only ever make it slower."""
    command = [sys.executable, "-I", "-S", "-c", MEASURE, str(package), operation.area, operation.id]
    return min(
        float(subprocess.run(command, env={}, capture_output=True, text=True, check=True).stdout) for _ in range(RUNS)
    )


if __name__ == "__main__":
    main()
