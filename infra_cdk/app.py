"""The CDK app: `cdk synth -c environment=local|dev|prod`."""

import sys

from infra_cdk.node import use_node_of_the_wheel


def main() -> None:
    """Synthesize the environment that the context names."""
    use_node_of_the_wheel()
    # Not before: importing the CDK starts Node.js.
    from aws_cdk import App

    from infra_cdk.environment import build_environment
    from infra_cdk.settings import SettingsError, refuse_unknown, settings_from
    from shared.operations.registry import all_operations

    app = App()
    try:
        refuse_unknown(app.node.get_all_context())
        settings = settings_from(app.node.try_get_context)
    except SettingsError as error:
        sys.exit(f"✗ {error}")
    build_environment(app, settings, all_operations())
    app.synth()


if __name__ == "__main__":
    main()
