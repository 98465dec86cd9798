"""Sessions of the AWS SDK, which all read the descriptions of services from one place."""

from functools import cache
from typing import Any

import boto3
import botocore.session
from botocore.loaders import Loader, create_loader


def new_sdk_session(credential_provider: Any = None) -> boto3.Session:
    """Return a session with credentials of its own: those of `credential_provider`, or of the process when it is None.

    A provider has `load_credentials()`, as botocore asks for it, and stands in place of botocore's search.
    """
    session = botocore.session.Session()
    session.register_component("data_loader", _descriptions())
    if credential_provider is not None:
        session.register_component("credential_provider", credential_provider)
    return boto3.Session(botocore_session=session)


@cache
def _descriptions() -> Loader:
    # A session left alone reads them for itself: a sixth of a second and fifteen megabytes for four services, which
    # a process that serves many operations would pay for each of them.
    return create_loader(botocore.session.Session().get_config_variable("data_path"))
