"""Sessions and clients of the AWS SDK, which all read the descriptions of services from one place."""

from functools import cache
from typing import Any, TypeVar

import boto3
import botocore.session
from botocore.loaders import Loader, create_loader

_Client = TypeVar("_Client")


def new_sdk_session(credential_provider: Any = None) -> boto3.Session:
    """Return a session with credentials of its own: those of `credential_provider`, or of the process when it is None.

    A provider has `load_credentials()`, as botocore asks for it, and stands in place of botocore's search.
    """
    session = botocore.session.Session()
    session.register_component("data_loader", _descriptions())
    if credential_provider is not None:
        session.register_component("credential_provider", credential_provider)
    return boto3.Session(botocore_session=session)


def for_threads(client: _Client) -> _Client:
    """Return `client`, which several threads may now use at once: the classes of its errors are there."""
    # Made with the first error, they would be made twice by two threads that meet theirs at once: whoever then says
    # `except client.exceptions.…` knows the later ones, and the other thread's error passes by.
    client.exceptions  # type: ignore[attr-defined] # noqa: B018
    return client


@cache
def _descriptions() -> Loader:
    # A session left alone reads them for itself: a sixth of a second and fifteen megabytes for four services, which
    # a process that serves many operations would pay for each of them.
    return create_loader(botocore.session.Session().get_config_variable("data_path"))
