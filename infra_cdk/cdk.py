"""The CDK's command line on the project's own Node.js and Python: `python -m infra_cdk.cdk deploy --all -c …`."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

from infra_cdk.node import node_folder
from infra_cdk.packages import ROOT

CLI: Final = ROOT / "node_modules" / "aws-cdk" / "bin" / "cdk"


def main() -> int:
    """Run the CDK with the given arguments and return its exit code."""
    if not CLI.exists():
        print("✗ The CDK is not installed here.\n  → make setup", file=sys.stderr)
        return 1
    folders = [str(node_folder()), str(Path(sys.executable).parent), os.environ.get("PATH", "")]
    variables = {**os.environ, "PATH": os.pathsep.join(folders), "CDK_DISABLE_CLI_TELEMETRY": "1"}
    return subprocess.run(["node", str(CLI), *sys.argv[1:]], cwd=ROOT, env=variables, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
