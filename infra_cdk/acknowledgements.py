"""What cdk-nag finds and we accept: each finding by its full name, on one construct, with the reason."""

from aws_cdk import Acknowledgment, Validations
from constructs import IConstruct


def acknowledge(construct: IConstruct, finding: str, reason: str) -> None:
    """Accept one finding (`Rule` or `Rule[detail]`, without the pack's name) on `construct` and what is below it."""
    Validations.of(construct).acknowledge(Acknowledgment(id=f"AwsSolutions-{finding}", reason=reason))
